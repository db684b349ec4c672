"""The rule that lets the gate's packets pass Docker's, which drop what they do not know, but ask DOCKER-USER first.

Docker's documentation, "Packet filtering and firewalls": rules of DOCKER-USER are processed before Docker's own, and
Docker leaves them alone.
"""

import shlex

from chatsubo.gate.firewall.process import ProgramMissing, call
from chatsubo.gate.firewall.ruleset import MARK

CHAIN = "DOCKER-USER"
_PROGRAMS = ("iptables", "ip6tables")
# Others may be changing rules: iptables waits so many seconds for them.
_WAIT = ("-w", "5")
_NO_CHAIN, _NO_TABLE = 1, 3


async def let_through(interface: str) -> None:
    """Have the rule of a gate in each DOCKER-USER chain that there is.

    Raises:
        FirewallError: The kernel does not take it.
    """
    for program in _PROGRAMS:
        rules = await _rules(program)
        if rules is not None and not any(_is_of(rule, interface) for rule in rules):
            await call(program, *_WAIT, "-I", CHAIN, *_rule(interface))


async def withdraw(interface: str) -> None:
    """Take the rule of a gate away, where it is.

    Raises:
        FirewallError: The kernel does not let it go.
    """
    for program in _PROGRAMS:
        for rule in await _rules(program) or ():
            if _is_of(rule, interface):
                await call(program, *_WAIT, "-D", *rule[1:])


async def _rules(program: str) -> list[list[str]] | None:
    """Return the rules of the chain as arguments, ``-A DOCKER-USER ...``; None where there is no such chain."""
    try:
        status, said = await call(program, *_WAIT, "-S", CHAIN, accept=(0, _NO_CHAIN, _NO_TABLE))
    except ProgramMissing:
        return None
    return [shlex.split(line) for line in said.splitlines() if line.startswith("-A")] if status == 0 else None


def _is_of(rule: list[str], interface: str) -> bool:
    return _comment(interface) in rule


def _rule(interface: str) -> list[str]:
    mark = ["-m", "mark", "--mark", f"{MARK:#x}/{MARK:#x}"]
    return [*mark, "-m", "comment", "--comment", _comment(interface), "-j", "ACCEPT"]


def _comment(interface: str) -> str:
    return f"chatsubo-gate-{interface}"
