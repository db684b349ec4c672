"""The fakes are held to what every provider is held to."""

from tests.kit.fakes import ClassicFakeKit, FakeKit


class TestDynamicFake(FakeKit):
    pass


class TestClassicFake(ClassicFakeKit):
    pass
