"""The images of templates on a real engine."""

import asyncio
import json
from pathlib import Path

import pytest

from chatsubo.providers.base import Readiness
from chatsubo.providers.exc import (
    BuildFailed,
    TemplateNotFound,
)
from tests.real.docker.bench import DOCUMENTED, LABELS, REALM, SERVES_FLAG, SHARED, SLEEPS, Bench, Heard

MEBIBYTE = 1024 * 1024


async def test_the_documented_dockerfile_works_unchanged(bench: Bench):
    # Its base image brings what it serves.
    bench.engine.make_base_image(
        "alpine:serves", ['CMD ["nc", "-ll", "-p", "80", "-e", "cat", "/root/flag"]', "EXPOSE 80"]
    )
    bench.template("hello", DOCUMENTED.replace("FROM alpine", "FROM alpine:serves"))
    heard = Heard()
    order = bench.order(progress=heard)

    listed = (await bench.provider.list_templates()).items
    instance = await bench.start("hello", order)

    assert [(one.name, one.flags[0].value, one.creds[0].password) for one in listed] == [("hello", "", "toor")]
    assert (instance.template, instance.realm, instance.session, instance.generation) == ("hello", REALM, order.id, 1)
    assert [(one.name, one.value, one.points) for one in instance.flags] == [("first", order.values["FLAG0"], 250)]
    assert [(one.username, one.password) for one in instance.creds] == [("level0", order.values["RNG0"])]
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"
    assert heard.stages == ["Building the machine", "Starting the machine", "Waiting for port 80"]


async def test_baked_values_are_in_the_files_and_leave_with_the_session(bench: Bench):
    bench.template("baked", DOCUMENTED + SERVES_FLAG)
    heard = Heard()
    order = bench.order(progress=heard)
    instance = await bench.start("baked", order)

    assert await bench.read(instance) == order.values["FLAG0"] + "\n"
    assert instance.readiness is Readiness.LISTENING
    assert [(one.name, one.host, one.port) for one in instance.endpoints] == [("http", instance.address, 80)]
    assert "Step" in heard.output
    assert not any(value in heard.output for name, value in order.values.items() if name != "SESSION")

    await bench.provider.stop_dynamic_instance(order.id)
    assert await bench.left_of(order.id) == []
    history = [image for image in bench.engine.images() if order.values["FLAG0"] in json.dumps(image)]
    assert history == []


async def test_one_image_serves_all_sessions_where_nothing_is_baked(bench: Bench):
    bench.template("shared", SHARED + "ARG RNG0\nENV PASSWORD=x-$RNG0\n" + SERVES_FLAG)
    orders = [bench.order() for _ in range(3)]
    instances = [await bench.start("shared", order) for order in orders]

    images = {container["ImageID"] for container in bench.engine.containers(f"chatsubo.provider={bench.name}")}
    assert len(images) == 1
    for order, instance in zip(orders, instances, strict=True):
        assert await bench.read(instance) == order.values["FLAG0"] + "\n"
        assert instance.flags[0].value == order.values["FLAG0"]
        assert await bench.shell(instance, "echo $PASSWORD") == f"x-{order.values['RNG0']}\n"
        assert (await bench.shell(instance, "stat -c '%a %u' /root/flag")).strip() == "400 0"
    assert "chatsubo-value" not in json.dumps(bench.engine.containers(f"chatsubo.provider={bench.name}"))


async def test_the_shared_image_is_built_once_for_starts_at_once_and_again_when_its_folder_changes(bench: Bench):
    bench.template("shared", SHARED + "COPY data /data\n" + SERVES_FLAG, data="one")
    heard = [Heard() for _ in range(4)]
    orders = [bench.order(progress=one) for one in heard]
    instances = await asyncio.gather(*(bench.start("shared", order) for order in orders))

    assert {one.output.count("Successfully tagged") for one in heard} == {1}
    tags = {tag for image in bench.engine.images() for tag in image["RepoTags"] or () if "/shared-" in tag}
    assert len(tags) == 1
    for order in orders:
        await bench.provider.stop_dynamic_instance(order.id)

    bench.template("shared", "", data="another")
    instance = await bench.start("shared", bench.order())

    assert await bench.shell(instance, "cat /data") == "another"
    again = {tag for image in bench.engine.images() for tag in image["RepoTags"] or () if "/shared-" in tag}
    assert len(again) == 1
    assert again != tags
    assert len(instances) == 4


async def test_what_comes_before_the_secrets_is_built_once_for_all_sessions(bench: Bench):
    text = "FROM alpine\nRUN echo expensive > /expensive\n" + DOCUMENTED.removeprefix("FROM alpine\n") + SLEEPS
    bench.template("layers", text)
    for _ in range(2):
        heard = Heard()
        order = bench.order(progress=heard)
        await bench.start("layers", order)
        await bench.provider.stop_dynamic_instance(order.id)

    session_build = heard.output
    assert "Using cache" in session_build
    assert "RUN echo expensive > /expensive\n ---> Using cache" in session_build


async def test_a_copy_of_everything_brings_what_the_author_sees(bench: Bench):
    bench.template(
        "copy", SHARED + "COPY . /all\n" + SLEEPS, note="kept", **{".dockerignore": "secret\n"}, secret="out"
    )
    instance = await bench.start("copy", bench.order())

    assert (await bench.shell(instance, "ls -A /all")).split() == [".dockerignore", "Dockerfile", "note"]


async def test_a_ready_image_gets_its_values_as_labels_environment_and_files(bench: Bench):
    bench.engine.make_base_image("ready:1", ['CMD ["sleep", "1000"]', "EXPOSE 22/tcp"])
    yaml = (
        'image: ready:1\nlabels:\n  chatsubo.flags.user.value: "$FLAG1"\n  chatsubo.flags.user.points: 10\n'
        "  chatsubo.file.FLAG1: /srv/flag\n  chatsubo.file.FLAG1.owner: 1000:1000\nenv:\n  TOKEN: t-${RNG2}\n"
    )
    bench.template("ready", "", **{"image.yml": yaml})
    provider = bench.make(reachable=False)
    order = bench.order()
    instance = await bench.start("ready", order, provider)

    assert instance.readiness is Readiness.STARTED
    assert instance.flags[0].value == order.values["FLAG1"]
    assert await bench.shell(instance, "cat /srv/flag; stat -c %u /srv/flag; echo $TOKEN") == (
        f"{order.values['FLAG1']}\n1000\nt-{order.values['RNG2']}\n"
    )


async def test_a_ready_image_that_cannot_be_fetched_is_told(bench: Bench):
    bench.template("absent", "", **{"image.yml": "image: 127.0.0.1:9/absent:1"})

    with pytest.raises(TemplateNotFound, match="absent"):
        await bench.start("absent", bench.order())


async def test_a_reset_whose_build_fails_leaves_the_machine_as_it_is(bench: Bench):
    bench.template("box", SHARED + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("box", order)
    bench.template("box", SHARED + "RUN false\n")

    with pytest.raises(BuildFailed):
        await bench.provider.reset(REALM, "box", bench.again(order, 2))
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"


async def test_a_build_that_fails_says_why_and_leaves_nothing(bench: Bench):
    bench.template("broken", DOCUMENTED + "RUN echo cause $FLAG0; false\n")
    heard = Heard()
    order = bench.order(progress=heard)

    with pytest.raises(BuildFailed) as raised:
        await bench.start("broken", order)
    assert "returned a non-zero code: 1" in raised.value.detail
    assert "cause [FLAG0]" in heard.output
    assert order.values["FLAG0"] not in heard.output + raised.value.detail
    assert await bench.left_of(order.id) == []


@pytest.mark.parametrize("text", [LABELS, DOCUMENTED], ids=["shared", "baked"])
async def test_a_build_that_hangs_is_ended_on_the_engine_too(bench: Bench, text: str):
    bench.template("hangs", text + "RUN echo hanging; sleep 1000\n")
    order = bench.order()

    with pytest.raises(BuildFailed, match="took longer than 2 s"):
        await bench.start("hangs", order, bench.make(build_timeout=2.0))
    await bench.until_gone("sleep 1000")
    assert await bench.left_of(order.id) == []


async def test_a_build_cancelled_in_the_middle_leaves_nothing(bench: Bench):
    bench.template("slow", DOCUMENTED + "RUN echo working; sleep 1000\n")
    heard = Heard()
    order = bench.order(progress=heard)
    start = asyncio.ensure_future(bench.start("slow", order))
    await heard.until("working")
    start.cancel()

    assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], asyncio.CancelledError)
    await bench.until_gone("sleep 1000")
    assert await bench.left_of(order.id) == []


async def test_half_made_images_are_listed_so_that_reconciliation_removes_them(bench: Bench):
    bench.template("box", DOCUMENTED + SLEEPS)
    order = bench.order()
    instance = await bench.start("box", order)
    await asyncio.to_thread(bench.engine.docker, "rm", "-f", str(instance.id))

    left = (await bench.provider.list_instances()).items
    assert [(one.session, one.running) for one in left if one.session == order.id] == [(order.id, False)]
    await bench.provider.stop_dynamic_instance(order.id)
    assert await bench.left_of(order.id) == []


async def test_templates_that_cannot_be_used_are_listed_with_the_reason(bench: Bench, tmp_path: Path):
    bench.template("good", SHARED)
    bench.template("silent", "FROM alpine\n")
    bench.template("garbled", "FROM alpine\nLABEL a=${\n")
    listing = await bench.provider.list_templates()

    assert [one.name for one in listing.items] == ["good"]
    assert {one.name for one in listing.rejected} == {"silent", "garbled"}
    with pytest.raises(TemplateNotFound, match="exposes no session"):
        await bench.start("silent", bench.order())


async def test_a_label_asks_for_values_as_files_or_in_the_environment(bench: Bench):
    bench.template("files", LABELS + "LABEL chatsubo.secrets=files\n" + SLEEPS)
    bench.template("env", LABELS + "LABEL chatsubo.secrets=env\n" + SLEEPS)
    provider = bench.make(reachable=False)
    files, environment = bench.order(), bench.order()
    by_files = await bench.start("files", files, provider)
    by_environment = await bench.start("env", environment, provider)

    assert await bench.shell(by_files, "cat /run/chatsubo/FLAG0 /run/chatsubo/SESSION; stat -c %a /run/chatsubo") == (
        f"{files.values['FLAG0']}\n{files.id}\n755\n"
    )
    assert await bench.shell(by_environment, "echo $FLAG0 $SESSION; ls /run") == (
        f"{environment.values['FLAG0']} {environment.id}\n"
    )


async def test_a_script_in_the_folder_that_uses_a_value_bakes_it(bench: Bench):
    script = '#!/bin/sh\necho "$FLAG0" > /root/flag\n'
    bench.template("scripted", LABELS + "COPY setup.sh /\nRUN sh /setup.sh\n" + SERVES_FLAG, **{"setup.sh": script})
    order = bench.order()
    instance = await bench.start("scripted", order)

    assert await bench.read(instance) == order.values["FLAG0"] + "\n"
