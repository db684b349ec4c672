"""A machine of the yard: a folder with what it was started with."""

import json

from app.providers.base.instance import BaseInstance
from app.providers.exc import MalformedMetadataException
from app.providers.labels import parse_creds, parse_flags


class YardInstance(BaseInstance):
    def __init__(self, folder):
        try:
            labels = json.loads((folder / "labels.json").read_text())
        except (OSError, ValueError):
            raise MalformedMetadataException(f"{folder.name} has no labels")
        self.session = labels.get("chatsubo.session")
        super().__init__(
            folder.name,
            folder.name,
            labels.get("chatsubo.realm"),
            labels.get("chatsubo.template"),
            labels.get("chatsubo.address"),
            flags=parse_flags(labels),
            creds=parse_creds(labels),
        )

    def to_json(self):
        data = self._to_json()
        data.update({"session": self.session})
        return data
