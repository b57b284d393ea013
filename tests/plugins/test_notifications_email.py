"""Telling by e-mail, against a mail server of the tests' own; no secret in any word or log."""

import pytest
from tests.plugins import tiny
from tests.plugins.mailbox import receiving

# isort: split
from tests.plugins.notified import CANARY, NOW, OVER, TOLD, failing

from updraft.alert.alert import Finding, alert
from updraft_airflow.notifications.email import EmailNotifier

pytestmark = pytest.mark.usefixtures("no_secret_is_logged")


@pytest.fixture
def mailbox():
    with receiving() as box:
        yield box


@pytest.fixture
def mail(mailbox, known):
    extra = {
        "disable_ssl": True,
        "disable_tls": True,
        "from_email": "updraft@example.com",
        "retry_limit": 0,
        "timeout": 5,
    }
    where = {"host": "127.0.0.1", "port": mailbox.port, "login": "updraft", "password": CANARY}
    return known("mail", conn_type="smtp", **where, extra=extra)


def test_a_mail_holds_text_html_and_the_chart(mailbox, mail):
    EmailNotifier(connection=mail, alert=TOLD).notify({})
    (got,) = mailbox.mails
    assert mailbox.logins == [("updraft", CANARY)]
    assert (got["To"], got["From"]) == ("tiny@example.com", "updraft@example.com")
    assert got["Subject"] == "[warning] tiny: An incident lasts (2024-01-20)"
    assert got["X-Updraft-Message-Id"] == TOLD.message_id
    kinds = [part.get_content_type() for part in got.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    assert "updraft status tiny" in got.get_body(("plain",)).get_content()
    page = got.get_body(("html",)).get_content()
    assert "the &lt;b&gt;scores&lt;/b&gt; moved" in page
    (picture,) = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert f"cid:{picture['Content-ID'].strip('<>')}" in page
    assert picture.get_content()[:4] == b"\x89PNG"


def test_the_mail_that_says_it_is_over_lies_below_the_one_that_opened_it(mailbox, mail):
    for told in (TOLD, OVER):
        EmailNotifier(connection=mail, alert=told).notify({})
    opened, over = mailbox.mails
    assert over["References"] == opened["Message-ID"]
    assert over["Message-ID"] != opened["Message-ID"]
    EmailNotifier(connection=mail, alert=TOLD, attempt=2).notify({})
    assert (mailbox.mails[2]["Message-ID"], mailbox.mails[2]["X-Updraft-Attempt"]) == (opened["Message-ID"], "2")


def test_a_mail_goes_where_the_connection_says(mailbox, known):
    extra = {"disable_ssl": True, "disable_tls": True, "to": "ops@example.com"}
    known("desk", conn_type="smtp", host="127.0.0.1", port=mailbox.port, extra=extra)
    EmailNotifier(connection="desk", alert=TOLD).notify({})
    assert (mailbox.mails[0]["To"], mailbox.logins) == ("ops@example.com", [])


def test_hostile_words_add_no_header_and_no_recipient(mailbox, mail):
    evil = alert(
        tiny.CASE, Finding("incident", "7", "x\r\nBcc: all@example.com", "a\r\nBcc: b@example.com"), 1, NOW, "r"
    )
    EmailNotifier(connection=mail, alert=evil).notify({})
    assert mailbox.recipients == ["TO:<tiny@example.com>"]
    assert mailbox.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    "answers", [{"AUTH": 535}, {"MAIL": 451}, {"RCPT": 550}, {"DATA": 554}, {"DATA": 0}, {"EHLO": 0}]
)
def test_a_mail_that_is_not_taken_is_not_delivered(mailbox, mail, answers):
    mailbox.answers = answers
    assert "did not arrive through the connection 'mail'" in failing(EmailNotifier(connection=mail, alert=TOLD))
    assert mailbox.mails == []
