"""The way in, through the form."""

from tests.web.pages.evening import PASSWORD


async def test_a_login_through_the_form_ends_the_one_that_this_browser_had(site, player):
    first = player.browser.token
    token = (await player.browser.get("/api/v1/csrf")).json()["token"]

    answer = await player.post("/login", {"username": "finn", "password": PASSWORD, "_csrf_token": token})

    assert answer.status_code == 303
    assert (await player.browser.get("/api/v1/me")).json()["username"] == "finn"
    thief = site.browser(Cookie=f"__Host-chatsubo={first}")
    assert (await thief.get("/api/v1/me")).status_code == 401


async def test_a_page_whose_login_has_ended_goes_to_the_login_when_it_looks_again(nobody):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://ctf.example/"}
    answer = await nobody.get("/", **headers)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=/")
