"""fakepve, made more like a real Proxmox VE where the difference matters to us."""

import asyncio
import copy
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import fakepve.schema as pve_schema
from aiohttp import web
from fakepve import FakePve
from fakepve.model import TaskError

API = "/api2/json"
TOKEN_ID = "chatsubo@pve!game"
SECRET = "0b1d5f64-6f2e-4c9a-a1d4-3f3a6a3f7a11"
TASK_SECONDS = 0.02
DHCP = "192.0.2.20/24"


class Violation(AssertionError):
    """A request or an answer is not what Proxmox's own schema says."""


class RealisticPve(FakePve):
    """A fake whose tasks take time, and whose other ways can be turned on by its attributes.

    Attributes:
        violations: What we sent that the schema of the API does not allow, or what came back that it does not say.
        in_flight, most_in_flight: Requests at once, now and at most.
        task_seconds: How long each task takes beyond its own time.
        lag: How old the names and states in the cluster's resources are, in seconds.
        mood: ``refuse`` (a slow 401 without JSON), ``garble`` (somebody else's page), ``redirect``, ``nothing`` (no
            data), or as usual.
        vintage: The major version that it behaves like.
        reasons_only: Whether errors tell their sentence in the reason phrase only.
        refuse_parameter: A parameter that this version does not know, and what it says then.
        drop_at: After how many further requests one is done, but its answer is lost; 0 for none.
        dropped: Whether one was lost.
        may_answer, may_end: While they are not set, no request is answered, and no task ends.
        kept_waiting: Set once a request waits for ``may_answer``.
        on_task: Called with the kind of each task when it has begun.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(host="127.0.0.1", port=port)
        self.time_scale = 0.001
        self.max_requests = 100_000
        self.apitokens[TOKEN_ID] = SECRET
        self.violations: list[str] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.task_seconds = TASK_SECONDS
        self.delay = 0.0
        self.lag = 0.0
        self.mood = ""
        self.vintage = 9
        self.reasons_only = False
        self.on_task: Callable[[str], None] = lambda _kind: None
        self.refuse_parameter: tuple[str, str] | None = None
        self.drop_at = 0
        self.dropped = False
        self.may_answer, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_answer.set()
        self.may_end.set()
        self.kept_waiting = asyncio.Event()
        self._counted = 0
        self._known: dict[int, tuple[float, dict[str, Any]]] = {}

    def _build_app(self) -> web.Application:
        app: web.Application = super()._build_app()
        app.middlewares.insert(0, self._front)
        return app

    def count(self, method: str = "", part: str = "") -> int:
        """Return how many requests were seen."""
        return sum(1 for seen, path, _ in self.requests if seen.startswith(method) and part in path)

    @web.middleware
    async def _front(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            if not self.may_answer.is_set():
                self.kept_waiting.set()
                await self.may_answer.wait()
            if self.mood in ("garble", "nothing", "redirect"):
                return self._in_another_way()
            if self.mood == "refuse" or request.headers.get("Authorization") != f"PVEAPIToken={TOKEN_ID}={SECRET}":
                await asyncio.sleep(0.3)
                return web.Response(status=401, reason="authentication failure", text="")
            if self._is_unknown(request):
                return web.Response(status=501, reason=f"Method '{request.method} {request.path}' not implemented")
            if self.refuse_parameter is not None and self.refuse_parameter[0] in await request.post():
                return self._unknown_parameter(*self.refuse_parameter)
            await self._examine_request(request)
            answer = await handler(request)
            if self._is_lost():
                assert request.transport is not None
                request.transport.close()
            return self._as_of_old(answer) if answer.status >= 400 else await self._examine_answer(request, answer)
        finally:
            self.in_flight -= 1

    def _in_another_way(self) -> web.StreamResponse:
        if self.mood == "garble":
            return web.Response(text="<html>Be back in a minute</html>", content_type="text/html")
        if self.mood == "nothing":
            return web.json_response({"data": None})
        return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})

    def _is_lost(self) -> bool:
        if self.drop_at and not self.dropped:
            self._counted += 1
            self.dropped = self._counted >= self.drop_at
            if self.dropped:
                self._counted = 0
                return True
        return False

    def _is_unknown(self, request: web.Request) -> bool:
        return self.vintage < 9 and request.path.endswith("/interfaces") and "/lxc/" in request.path

    @staticmethod
    def _unknown_parameter(name: str, why: str) -> web.StreamResponse:
        body = {"data": None, "message": "Parameter verification failed.\n", "errors": {name: why}}
        return web.json_response(body, status=400, reason="Parameter verification failed.")

    def _as_of_old(self, answer: web.StreamResponse) -> web.StreamResponse:
        return web.Response(status=answer.status, reason=answer.reason, text="") if self.reasons_only else answer

    async def _examine_request(self, request: web.Request) -> None:
        """Check what we ask by the schema, which names every parameter of every method."""
        match = pve_schema.load().match(request.path.removeprefix(API))
        if match is None or request.method not in match.methods:
            self.violations.append(f"{request.method} {request.path}: there is no such method")
            return
        sent: dict[str, Any] = dict(match.params)
        pairs = [*request.query.items(), *(await request.post()).items()]
        for key, value in pairs:
            same = [one for name, one in pairs if name == key]
            sent[key] = same if len(same) > 1 or (key == "command" and self.vintage >= 8) else value
        _, wrong = pve_schema.validate(match.methods[request.method].get("parameters"), sent)
        if self.vintage < 8 and "command" in wrong:
            del wrong["command"]
        self.violations += [f"{request.method} {request.path}: {name}: {why}" for name, why in wrong.items()]

    async def _examine_answer(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        assert isinstance(answer, web.Response)
        match = pve_schema.load().match(request.path.removeprefix(API))
        if match is not None and request.method in match.methods and answer.text:
            returns = match.methods[request.method].get("returns") or {}
            data = json.loads(answer.text).get("data")
            if returns.get("type") not in (None, "null") and data is not None:
                _, why = pve_schema.check_value(returns, data)
                if why:
                    self.violations.append(f"the answer to {request.method} {request.path}: {why}")
        return answer

    async def _resources(self, request: web.Request) -> web.Response:
        """List guests as a real cluster does: names and states are some seconds old, tags and locks are not."""
        answer: web.Response = await super()._resources(request)
        assert answer.text is not None
        data = json.loads(answer.text)["data"]
        for one in data:
            if "vmid" in one:
                self._age(one)
            if not one.get("template"):
                one.pop("template", None)
        return web.json_response({"data": data})

    def _age(self, one: dict[str, Any]) -> None:
        if not self.lag:
            return
        now = time.monotonic()
        since, told = self._known.setdefault(one["vmid"], (now, {"status": "unknown"}))
        if now - since > self.lag:
            told = {"status": one["status"], "name": one["name"]}
            self._known[one["vmid"]] = (now, told)
        one.pop("name", None)
        one.update(told)

    async def _lxc_interfaces(self, user: str, values: Any) -> Any:
        """Tell the interfaces of a container, whose network has a DHCP server, with a network that it made itself."""
        shown = await super()._lxc_interfaces(user, values)
        for one in shown or ():
            if one["name"] == "eth0" and "inet" not in one:
                one["inet"] = DHCP
        own = {"name": "docker0", "hwaddr": "02:42:AC:11:00:01", "hardware-address": "02:42:AC:11:00:01"}
        return shown and [{**own, "inet": "172.17.0.1/16", "ip-addresses": []}, *shown]

    def _config_priv(self, key: str) -> str:
        """Return the right that changing a key of a configuration takes, those of cloud-init as they really are."""
        if key in ("ciuser", "cipassword", "sshkeys", "nameserver", "searchdomain"):
            return "VM.Config.Cloudinit"
        return "VM.Config.Network" if key.startswith("ipconfig") else str(super()._config_priv(key))

    async def task(self, node: str, ttype: str, tid: Any, user: str, body: Any, **options: Any) -> Any:
        """Begin a task that takes time. RAM in a snapshot runs on.

        A clone tells nothing of itself until it is done, and inherits the firewall's rules of its template.
        """

        if ttype in ("qmclone", "vzclone"):
            guests = self._fw()["guests"]
            guests[options["vm"].vmid] = copy.deepcopy(self.firewall_config("vm", node, tid))
        clone = options["vm"] if ttype == "qmclone" else None
        whole = clone.config if clone is not None else None
        if clone is not None:
            # As written while the disks are copied.
            clone.config = {"description": "qmclone temporary file\n", "lock": "clone", "digest": "0" * 40}

        async def slowly() -> Any:
            self.on_task(ttype)
            await asyncio.sleep(self.task_seconds)
            await self.may_end.wait()
            if clone is not None:
                clone.config = whole
            note = await body()
            if ttype == "qmrollback":
                self._started_again(int(tid))
            return note

        return await super().task(node, ttype, tid, user, slowly, **options)

    def _started_again(self, vmid: int) -> None:
        vm = self.vm(vmid)
        if vm.start_error:
            vm.status = vm.qmpstatus = "stopped"
            raise TaskError(vm.start_error)
        if vm.snapshots[vm.config["parent"]].get("vmstate"):
            vm.status = vm.qmpstatus = "running"
