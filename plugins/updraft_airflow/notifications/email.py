"""E-mail: text and HTML with the chart in it, through Airflow's SMTP provider."""

import smtplib
from email.message import EmailMessage
from email.utils import formatdate

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException

from updraft.alert import render
from updraft.alert.chart import png
from updraft.sources.reach.connection import Connection
from updraft_airflow.notifications.alert import AlertNotifier

_CHART = "chart@updraft"


class EmailNotifier(AlertNotifier):
    """
    Send an e-mail to the use case's owner, or to whom the connection's extra names in `to`.

    The connection is one of type ``smtp``; its extra also holds `from_email`.
    """

    def deliver(self, connection: Connection) -> None:
        """Hand it to the mail server."""
        to = str(connection.extra.get("to") or self.alert.email)
        sender = str(connection.extra.get("from_email") or connection.login or to)
        try:
            with SmtpHook(smtp_conn_id=self.connection) as hook:
                assert hook._smtp_client is not None  # the provider's own mails have no plain text
                hook._smtp_client.send_message(self.message(sender, to))
        except smtplib.SMTPResponseException as refused:
            raise self.undelivered(f"the server answered {refused.smtp_code}") from refused
        except (smtplib.SMTPException, OSError, AirflowException) as fault:
            raise self.undelivered(type(fault).__name__) from fault

    def message(self, sender: str, to: str) -> EmailMessage:
        """Write the mail; its id is the same at every attempt."""
        mail, told = EmailMessage(), self.alert
        mail["Subject"], mail["From"], mail["To"] = render.subject(told), sender, to
        mail["Date"] = formatdate()
        name = told.message_id.replace("/", ".")
        mail["Message-ID"] = f"<{name}@updraft>"
        if told.event == "resolved":  # so that it lies below the mail that opened it
            mail["References"] = f"<{name.removesuffix('resolved')}opened@updraft>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Updraft-Message-Id"], mail["X-Updraft-Attempt"] = told.message_id, str(self.attempt)
        mail.set_content(render.text(told))
        mail.add_alternative(render.html(told, f"cid:{_CHART}" if told.series else None), subtype="html")
        if told.series:
            page = mail.get_payload()[1]  # type: ignore[index]
            page.add_related(  # type: ignore[union-attr]
                png(told.series), "image", "png", cid=f"<{_CHART}>", filename="chart.png", disposition="inline"
            )
        return mail
