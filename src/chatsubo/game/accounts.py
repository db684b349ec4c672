"""Accounts and logins."""

import contextlib
import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import BadCredentials, Banned, Closed, FieldProblem, Invalid, NotFound, Taken, Unavailable
from chatsubo.domain.text import N_, Text
from chatsubo.game import rate_limits
from chatsubo.game.actor import Actor, Role
from chatsubo.game.names import GATE_NAME, check_username, name_key
from chatsubo.game.passwords import Passwords
from chatsubo.game.rate_limits import RateLimiter
from chatsubo.game.views import LoginView
from chatsubo.store import accounts as store
from chatsubo.store import logins as login_store
from chatsubo.store.accounts import Account
from chatsubo.store.database import Database
from chatsubo.store.logins import Login
from chatsubo.store.settings import read_setting

LOGIN_LIFETIME = timedelta(days=14)
TOUCH_EVERY = timedelta(minutes=1)
MIN_PASSWORD = 8
MAX_PASSWORD = 256
THEMES = ("dark", "light")


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from.

    Attributes:
        address: The browser's address.
        browser: What the browser calls itself.
    """

    address: str
    browser: str = ""

    @property
    def origin(self) -> str:
        """What counts as one place: the address, or the /64 network that a single subscriber has in IPv6 (RFC 6177)."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        if not isinstance(address, IPv6Address):
            return str(address)
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


class Accounts:
    """Registration, login, and what belongs to one's own account."""

    login_lifetime = LOGIN_LIFETIME

    def __init__(self, db: Database, clock: Clock, passwords: Passwords, limiter: RateLimiter) -> None:
        self._db = db
        self._clock = clock
        self._passwords = passwords
        self._limiter = limiter

    async def register(self, username: str, password: str, *, client: Client) -> tuple[Actor, str]:
        """Make a player's account and log it in.

        Returns:
            The new account, and the token of its login.

        Raises:
            Closed: If registration is closed.
            Invalid: If the name or the password will not do.
            RateLimited: If too many accounts come from one address.
            Taken: If the name is in use.
        """
        await self._limiter.spend(rate_limits.REGISTER_BY_ADDRESS, client.origin)
        async with self._db.read() as tx:
            if await read_setting(tx, "registration") == "closed":
                raise Closed
        account = await self.create(username, password, Role.PLAYER)
        return _actor(account), await self._log_in(account, client)

    async def create(self, username: str, password: str, role: Role) -> Account:
        """Make an account, by whomever: the caller has the right to.

        Raises:
            Invalid: If the name or the password will not do.
            Taken: If the name is in use.
        """
        username = check_username(username)
        check_password(password)
        password_hash = await self._passwords.hash(password)
        try:
            async with self._db.write() as tx:
                account_id = await store.insert_account(
                    tx,
                    username=username,
                    username_key=name_key(username),
                    gate_name=await _new_gate_name(tx, username),
                    password_hash=password_hash,
                    role=role,
                    now=self._clock(),
                )
                account = await store.account_by_id(tx, account_id)
        except IntegrityError:
            raise Taken(name=username) from None
        assert account is not None
        return account

    async def login(self, username: str, password: str, *, client: Client) -> tuple[Actor, str]:
        """Log in, with a new token each time.

        Raises:
            BadCredentials: If the name or the password is wrong.
            Banned: If the account is banned; told to nobody who does not know its password.
            RateLimited: If there were too many tries for this name, or from this address.
        """
        key = name_key(username[:64])
        await self._limiter.spend(rate_limits.LOGIN_BY_NAME, hashlib.sha256(key.encode()).hexdigest()[:32])
        await self._limiter.spend(rate_limits.LOGIN_BY_ADDRESS, client.origin)
        async with self._db.read() as tx:
            account = await store.account_by_name(tx, key)
        known = account.password_hash if account else None
        if not await self._passwords.verify(known, password[: MAX_PASSWORD + 1]) or account is None:
            raise BadCredentials
        if self._passwords.is_outdated(account.password_hash):
            account = await self._renew_hash(account, password)
        return _actor(account), await self._log_in(account, client)

    async def authenticate(self, token: str) -> Actor | None:
        """Return the account that a cookie's token stands for, and note now and then that it was used."""
        digest = _digest(token)
        now = self._clock()
        async with self._db.read() as tx:
            found = await login_store.logged_in(tx, digest, now)
        if found is None:
            return None
        if now - found.seen_at >= TOUCH_EVERY:
            with contextlib.suppress(Unavailable):  # a full disk need not keep anybody from reading
                async with self._db.write() as tx:
                    await store.note_seen(tx, found.account_id, now)  # at first: a ban locks it before the logins
                    await login_store.touch_login(tx, digest, seen_at=now, expires_at=now + LOGIN_LIFETIME)
        return Actor(found.account_id, found.username, Role(found.role), found.language, found.theme)

    async def logout(self, token: str) -> None:
        """End the login of that token."""
        async with self._db.write() as tx:
            await login_store.delete_login(tx, _digest(token))

    async def change_password(self, actor: Actor, current: str, new: str, *, client: Client) -> str:
        """Change the account's password, end all of its logins, and return the token of a new one.

        Raises:
            BadCredentials: If the password was changed by somebody else meanwhile.
            Invalid: If the current password is wrong, or the new one will not do.
            RateLimited: If there were too many tries.
        """
        await self._limiter.spend(rate_limits.PASSWORD, actor.account_id)
        async with self._db.read() as tx:
            account = await store.account_by_id(tx, actor.account_id)
        if account is None or not await self._passwords.verify(account.password_hash, current[: MAX_PASSWORD + 1]):
            raise Invalid.field("current", N_("That is not your password."))
        check_password(new, "new")
        account = await self._set_password(account, new, instead_of=account.password_hash)
        return await self._log_in(account, client)

    async def set_password(self, username: str, password: str) -> None:
        """Set somebody's password and end all of their logins: for commands on the server itself.

        Raises:
            Invalid: If the password will not do.
            NotFound: If there is no such account.
        """
        check_password(password)
        await self._set_password(await self._by_name(username), password)

    async def set_role(self, username: str, role: Role) -> None:
        """Set what somebody may do: for commands on the server itself.

        Raises:
            NotFound: If there is no such account.
        """
        account = await self._by_name(username)
        async with self._db.write() as tx:
            await store.set_role(tx, account.id, role)

    async def logins(self, actor: Actor, token: str) -> list[LoginView]:
        """Return the account's own logins, the last used first."""
        async with self._db.read() as tx:
            found = await login_store.logins_of(tx, actor.account_id, self._clock())
        return [
            LoginView(
                id=login.digest[:16],
                created_at=login.created_at,
                seen_at=login.seen_at,
                address=login.address,
                browser=login.browser,
                current=login.digest == _digest(token),
            )
            for login in found
        ]

    async def revoke_login(self, actor: Actor, login_id: str) -> None:
        """End one of the account's own logins.

        Raises:
            NotFound: If the account has no such login.
        """
        async with self._db.write() as tx:
            for login in await login_store.logins_of(tx, actor.account_id, self._clock()):
                if login.digest[:16] == login_id:
                    await login_store.delete_login(tx, login.digest)
                    return
        raise NotFound

    async def set_preferences(self, actor: Actor, *, language: str | None, theme: str | None) -> None:
        """Set the account's language and theme; without one the language follows the browser, and the theme is dark.

        Raises:
            Invalid: If the theme is unknown, or the language is not a language's code.
        """
        if theme is not None and theme not in THEMES:
            raise Invalid.field("theme", N_("Choose dark or light."))
        if language is not None and not re.fullmatch(r"[a-z]{2,3}", language):
            raise Invalid.field("language", N_("Choose one of the languages."))
        async with self._db.write() as tx:
            await store.set_preferences(tx, actor.account_id, language=language, theme=theme)

    async def _by_name(self, username: str) -> Account:
        async with self._db.read() as tx:
            account = await store.account_by_name(tx, name_key(username))
        if account is None:
            raise NotFound
        return account

    async def _renew_hash(self, account: Account, password: str) -> Account:
        """Hash the same password again with the costs of today, unless it was changed meanwhile."""
        renewed = await self._passwords.hash(password)
        async with self._db.write() as tx:
            await store.set_password_hash(tx, account.id, renewed, instead_of=account.password_hash)
        return replace(account, password_hash=renewed)

    async def _set_password(self, account: Account, password: str, *, instead_of: str | None = None) -> Account:
        password_hash = await self._passwords.hash(password)
        async with self._db.write() as tx:
            if not await store.set_password_hash(tx, account.id, password_hash, instead_of=instead_of):
                raise BadCredentials
            await login_store.delete_logins_of(tx, account.id)
        return replace(account, password_hash=password_hash)

    async def _log_in(self, account: Account, client: Client) -> str:
        """Log in whoever proved to know the password of ``account``, and return the token.

        Raises:
            BadCredentials: If the password was changed since: that ended all logins, so it ends this one too.
            Banned: If the account is banned.
        """
        token = secrets.token_urlsafe(32)
        now = self._clock()
        login = Login(
            _digest(token), account.id, now, now, now + LOGIN_LIFETIME, client.address[:64], client.browser[:256]
        )
        async with self._db.write() as tx:
            await store.lock_account(tx, account.id)
            present = await store.account_by_id(tx, account.id)
            if present is None or present.password_hash != account.password_hash:
                raise BadCredentials
            if present.banned_at is not None:
                raise Banned(reason=present.ban_reason or "")
            await store.note_seen(tx, account.id, now)
            await login_store.insert_login(tx, login)
        return token


def check_password(password: str, field: str = "password") -> None:
    """Let a password pass.

    Raises:
        Invalid: Unless it has 8 to 256 characters.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        message = N_("A password has {low} to {high} characters.")
        raise Invalid(FieldProblem(field, Text(message, {"low": MIN_PASSWORD, "high": MAX_PASSWORD})))


def _actor(account: Account) -> Actor:
    return Actor(account.id, account.username, Role(account.role), account.language, account.theme)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def _new_gate_name(tx: AsyncConnection, username: str) -> str:
    if GATE_NAME.fullmatch(username) and not await store.gate_name_taken(tx, username):
        return username
    return f"player-{secrets.token_hex(8)}"
