"""A dynamic plugin in the style of the founding document: each machine is a folder, each template a Dockerfile."""

import hashlib
import itertools
import json
import random
import re
import shutil
import string
from pathlib import Path

from app.providers.base.provider import BaseProvider
from app.providers.exc import BackendConnectionException, MalformedMetadataException
from app.providers.labels import parse_flags
from app.providers.yard.instance import YardInstance
from app.providers.yard.template import DockerTemplate

LABEL = re.compile(r'(chatsubo\.[\w.]+)=("(?:[^"\\]|\\.)*")', re.I)
NUMBERS = itertools.count(2)


def labels_of(dockerfile):
    return {key: json.loads(value) for key, value in LABEL.findall(dockerfile.read_text())}


class YardProvider(BaseProvider):
    kind = "yard"
    is_dynamic = True

    def __init__(self, name, root, machines, prefix, realms, vpns):
        self.name = name
        self.root = Path(root)
        self.machines = Path(machines)
        self.prefix = prefix
        assert parse_flags([]) == []
        super().__init__(vpn_providers=vpns, kind=self.kind, realms=realms)

    @classmethod
    def from_config(cls, name, raw_conf, vpns):
        prefix = raw_conf.get("flag_prefix", "FLAG")
        return cls(name, raw_conf["dockerfiles_root"], raw_conf["machines"], prefix, raw_conf["realms"], vpns)

    def look(self):
        if not self.root.is_dir():
            raise BackendConnectionException(f"{self.kind}/{self.name}", "the yard is closed")

    def list_templates(self):
        self.look()
        return [
            DockerTemplate(
                folder.name,
                self.to_json(),
                labels=labels_of(folder / "Dockerfile"),
                dockerfile=str(folder / "Dockerfile"),
                dynamic=True,
            ).to_json()
            for folder in sorted(self.root.iterdir())
        ]

    def list_instances(self, realm=None):
        self.look()
        instances = []
        for folder in sorted(self.machines.iterdir()):
            try:
                instances.append(YardInstance(folder))
            except MalformedMetadataException:
                pass
        return [one for one in instances if realm is None or one.realm == realm]

    def reset(self, realm, template, session=None):
        self.stop_dynamic_instance(session.id)
        return self.start_dynamic_instance(realm, template, session.id) is None

    def start_dynamic_instance(self, realm, template, session_id):
        self.look()
        dockerfile = self.root / template / "Dockerfile"
        if not dockerfile.is_file():
            return f"no template is called {template}"
        if template == "cursed":
            return False
        seed = "".join(random.choice(string.ascii_letters) for _ in range(32))
        values = {
            "SESSION": session_id,
            "FLAG0": "%s{%s}" % (self.prefix, hashlib.sha1(seed.encode()).hexdigest()[:35]),
            "RNG0": "".join(random.choice(string.ascii_letters) for _ in range(8)),
        }
        labels = {
            key: re.sub(r"\$(\w+)", lambda found: values[found[1]], value)
            for key, value in labels_of(dockerfile).items()
        }
        labels.update({"chatsubo.realm": realm, "chatsubo.address": "10.0.0.%d" % next(NUMBERS)})
        folder = self.machines / session_id
        folder.mkdir()
        (folder / "labels.json").write_text(json.dumps(labels))

    def stop_dynamic_instance(self, session_id):
        self.look()
        if not (self.machines / session_id).is_dir():
            return "there is no such machine"
        shutil.rmtree(self.machines / session_id)
