"""Every error of Proxmox becomes the one of ours whose advice fits."""

import shutil
import ssl

import aiohttp
import pytest
from aiohttp import web
from fakepve.certs import make_cert

from chatsubo.config import Secret
from chatsubo.providers.exc import (
    AccessRefused,
    Advice,
    BackendConnectionException,
    BuildFailed,
    Locked,
    Misconfigured,
    NoCapacity,
    NotReady,
    ProviderError,
    TimedOut,
)
from chatsubo.providers.pve import client
from chatsubo.providers.pve.config import Api, Token
from chatsubo.providers.pve.errors import (
    AgentAway,
    AlreadyThere,
    Moved,
    PeerAway,
    SnapshotMissing,
    UnknownParameter,
    VmidTaken,
    meaning,
    translate,
)
from tests.pve.authority import own_authority
from tests.pve.cluster import add_vm, changed, labels
from tests.pve.fake import SECRET


@pytest.mark.parametrize(
    ("status", "said", "kind", "advice"),
    [
        (500, "VM is locked (backup)", Locked, Advice.RETRY),
        (500, "CT is locked (snapshot)", Locked, Advice.RETRY),
        (500, "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", Locked, Advice.RETRY),
        (500, "cluster not ready - no quorum?", PeerAway, Advice.RETRY),
        (500, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", Moved, Advice.GIVE_UP),
        (500, "unable to find configuration file for VM 100 on node 'pve1'", Moved, Advice.GIVE_UP),
        (500, "unable to create VM 9000: config file already exists", VmidTaken, Advice.RETRY),
        (500, "snapshot 'clean' does not exist", SnapshotMissing, Advice.ASK_ADMIN),
        (500, "QEMU guest agent is not running", AgentAway, Advice.GIVE_UP),
        (500, "VM 100 qmp command 'guest-ping' failed - got timeout", AgentAway, Advice.GIVE_UP),
        (500, "No QEMU guest agent configured", Misconfigured, Advice.ASK_ADMIN),
        (500, "VM 100 already running", AlreadyThere, Advice.GIVE_UP),
        (500, "storage 'fast' does not exist", BuildFailed, Advice.ASK_ADMIN),
        (500, "Linked clone feature is not supported for drive 'scsi0'", BuildFailed, Advice.ASK_ADMIN),
        (500, "start failed: QEMU exited with code 1", NotReady, Advice.GIVE_UP),
        (500, "lvcreate: not enough free space", NoCapacity, Advice.RETRY),
        (0, "clone failed: can't lock file '/var/lock/x.conf' - got timeout", Locked, Advice.RETRY),
        (0, "clone failed: cfs-lock 'storage-nfs' error: got lock request timeout", Locked, Advice.RETRY),
        (500, "trying to acquire cfs lock 'domain-ha' ...", Locked, Advice.RETRY),
        (500, "detected modified configuration - file changed by other user? Try again.", Locked, Advice.RETRY),
        (500, "checksum mismatch (file change by other user?)", Locked, Advice.RETRY),
        (500, "unable to acquire pmxcfs lock", Locked, Advice.RETRY),
        (0, 'clone failed: Volume group "pve" has insufficient free space (10 extents)', NoCapacity, Advice.RETRY),
        (0, "clone failed: free space in thin pool pve/data reached threshold.", NoCapacity, Advice.RETRY),
        (0, "clone failed: zfs error: out of space", NoCapacity, Advice.RETRY),
        (0, "start failed: cannot allocate memory", NoCapacity, Advice.RETRY),
        (0, "clone failed: unable to parse volume id", BuildFailed, Advice.ASK_ADMIN),
        (500, "something nobody thought of", ProviderError, Advice.GIVE_UP),
        (401, "authentication failure", AccessRefused, Advice.ASK_ADMIN),
        (403, "Permission check failed (/vms/100, VM.Snapshot)", AccessRefused, Advice.ASK_ADMIN),
        (501, "Method 'GET /nodes/pve1/lxc/100/interfaces' not implemented", Misconfigured, Advice.ASK_ADMIN),
        (595, "No route to host", PeerAway, Advice.RETRY),
        (595, "Connection refused", PeerAway, Advice.RETRY),
        (596, "Connection timed out", PeerAway, Advice.RETRY),
        (596, "tls_process_server_certificate: certificate verify failed", PeerAway, Advice.RETRY),
        (597, "Connection reset by peer", PeerAway, Advice.RETRY),
        (503, "Service Unavailable", BackendConnectionException, Advice.RETRY),
        (504, "Gateway Timeout", PeerAway, Advice.RETRY),
        (0, "VM is locked (migrate)", Locked, Advice.RETRY),
    ],
)
def test_a_sentence_of_proxmox_means_one_thing(status, said, kind, advice):
    error = meaning(status, said, "pve/cluster")
    assert type(error) is kind
    assert error.advice is advice
    assert said in error.detail


def test_a_wrong_parameter_is_named():
    error = meaning(400, "Parameter verification failed.", "pve/cluster", {"pool": "invalid pool\n"})
    assert type(error) is Misconfigured
    assert error.detail == "pve/cluster: Parameter verification failed. (pool: invalid pool)"


def test_a_parameter_of_another_version_is_told_apart():
    fields = {"start": "property is not defined in schema and the schema does not allow additional properties"}
    assert type(meaning(400, "Parameter verification failed.", "x", fields)) is UnknownParameter


def test_what_the_client_library_raises_is_translated():
    assert type(translate(TimeoutError(), "x")) is TimedOut
    assert type(translate(aiohttp.ServerDisconnectedError(), "x")) is BackendConnectionException
    assert type(translate(ssl.SSLError(1, "broken"), "x")) is BackendConnectionException
    assert type(translate(ValueError("no json"), "x")) is BackendConnectionException


async def test_an_untrusted_certificate_names_the_settings(make_provider):
    with pytest.raises(Misconfigured) as raised:
        await make_provider(ca=None).list_instances()
    assert "verify_ssl" in raised.value.detail
    assert "set ca to" in raised.value.detail


async def test_an_authority_that_is_put_right_is_read_without_a_restart(pve, ca, make_provider, tmp_path):
    add_vm(pve, 100, labels())
    named = make_cert(str(tmp_path), hosts=("pve.example",))[0]
    provider = make_provider(ca=named)
    with pytest.raises(Misconfigured):
        await provider.list_instances()
    shutil.copy(ca, named)
    assert len((await provider.list_instances()).items) == 1


async def test_the_certificates_of_a_cluster_s_own_authority_are_trusted_by_newer_pythons(
    pve, make_provider, tmp_path, monkeypatch
):
    """From 3.13 on they ask by default for extensions that Proxmox does not write."""
    authority, *served = own_authority(tmp_path)
    await pve.stop()
    await pve.start(*served)
    usual = ssl.create_default_context

    def strict(**options):
        context = usual(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    add_vm(pve, 100, labels())
    assert len((await make_provider(ca=authority).list_instances()).items) == 1


async def test_an_authority_that_is_none_is_told(make_provider, tmp_path):
    named = tmp_path / "ca.pem"
    named.write_text("no certificate")
    with pytest.raises(Misconfigured) as raised:
        await make_provider(ca=named).list_instances()
    assert "ca cannot be used" in raised.value.detail


async def test_a_provider_that_is_closed_makes_no_new_connections(pve, make_provider):
    """What still runs in the background, as a removal that nobody waits for any more, would never close them."""
    provider = make_provider()
    await provider.list_instances()
    await provider.aclose()
    before = pve.count()
    with pytest.raises(BackendConnectionException):
        await provider.list_instances()
    assert (pve.count(), provider._client._session) == (before, None)


async def test_the_token_is_taken_to_no_other_host(pve, make_provider):
    pve.mood = "redirect"
    with pytest.raises(BackendConnectionException):
        await make_provider().list_instances()
    assert pve.count() == 0


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("IP address mismatch, certificate is not valid for '127.0.0.1'", "api.host must be a name in it"),
        ("certificate has expired", "renew it"),
        ("self-signed certificate in certificate chain", "set ca to the authority that signed it"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_says_what_to_do(said, advice):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = said
    assert advice in translate(error, "pve/cluster").detail


async def test_nothing_is_verified_where_the_configuration_says_so(pve, make_provider):
    add_vm(pve, 100, labels())
    provider = make_provider(ca=None, verify_ssl=False)
    assert len((await provider.list_instances()).items) == 1
    assert [str(one.text) for one in (await provider.check()).findings if not one.ok] == [
        "The certificate of Proxmox is not verified: who sits in between can read the token."
    ]


async def test_a_refusal_that_is_slow_and_no_json_is_understood(pve, make_provider):
    pve.mood = "refuse"
    with pytest.raises(AccessRefused) as raised:
        await make_provider().list_instances()
    assert "authentication failure" in raised.value.detail
    assert "api.token.value" in raised.value.detail


async def test_a_token_whose_name_holds_its_user_works(pve, make_provider):
    add_vm(pve, 100, labels())
    provider = make_provider()
    token = Token(name="chatsubo@pve!game", value=Secret(SECRET))
    api = Api(user="chatsubo@pve", host=provider.config.api.host, port=pve.port, token=token)
    twin = changed(provider, api=api)
    assert len((await twin.list_instances()).items) == 1
    await twin.aclose()


async def test_sentences_in_the_reason_phrase_alone_are_understood(pve, make_provider):
    pve.reasons_only = True
    add_vm(pve, 100, labels())
    pve.snapshot_lock(100, "backup")
    pve.fail("POST", "/rollback", 500, "VM is locked (backup)")
    with pytest.raises(Locked) as raised:
        await make_provider(start_timeout=3.0).reset("wz01", "mail")
    assert "VM is locked (backup)" in raised.value.detail


async def test_the_token_is_in_no_error_and_no_repr(pve, make_provider):
    pve.mood = "garble"
    provider = make_provider()
    with pytest.raises(BackendConnectionException) as raised:
        await provider.list_instances()
    shown = [repr(provider), repr(provider.config), repr(provider._client), str(provider.to_json()), str(raised.value)]
    assert not [text for text in shown if SECRET in text]


NOT_THE_API = {
    "a list of texts": '{"data": ["100"]}',
    "no list": '{"data": {"vmid": 100}}',
    "a text": '{"data": "nothing"}',
    "depths": "[" * 100_000,
    "no end": '{"data": []}' + " " * 2000,
    "rows without what they are about": '{"data": [{"name": "mail"}]}',
}


@pytest.mark.parametrize("body", NOT_THE_API.values(), ids=NOT_THE_API)
async def test_json_that_is_not_the_apis_is_an_error_of_ours(pve, make_provider, monkeypatch, body):
    monkeypatch.setattr(client, "LARGEST", 1000 if body.endswith(" ") else client.LARGEST)
    monkeypatch.setattr(pve, "_in_another_way", lambda: web.Response(text=body, content_type="application/json"))
    pve.mood = "garble"
    with pytest.raises(BackendConnectionException):
        await make_provider().list_instances()


async def test_json_at_another_place_is_no_answer(pve, make_provider, monkeypatch):
    elsewhere = web.Response(
        status=302, headers={"Location": "/"}, text='{"data": []}', content_type="application/json"
    )
    monkeypatch.setattr(pve, "_in_another_way", lambda: elsewhere)
    pve.mood = "garble"
    with pytest.raises(BackendConnectionException):
        await make_provider().list_instances()


async def test_a_task_that_tells_no_status_is_asked_again(pve, make_provider, monkeypatch):
    add_vm(pve, 100, labels())
    ask = client.Client._ask
    silent: list[dict[str, str] | None] = [None, {}]

    async def silent_at_first(self, method, path, values):
        told = await ask(self, method, path, values)
        return silent.pop() if path.endswith("/status") and "/tasks/" in path and silent else told

    monkeypatch.setattr(client.Client, "_ask", silent_at_first)
    assert (await make_provider().reset("wz01", "mail")).running
    assert not silent


async def test_one_guest_whose_configuration_is_none_spoils_no_other(pve, make_provider, monkeypatch):
    add_vm(pve, 100, labels())
    add_vm(pve, 101, labels(template="other"))
    ask = client.Client._ask

    async def half_answered(self, method, path, values):
        return None if path.endswith("/qemu/100/config") else await ask(self, method, path, values)

    monkeypatch.setattr(client.Client, "_ask", half_answered)
    listing = await make_provider().list_instances()
    assert [one.id for one in listing.items] == [101]
    [rejected] = listing.rejected
    assert "a configuration of the guest 100 that is none" in str(rejected.reason)
