"""The use case `tiny` with its plan in a bucket that tells a queue of it, and its outcomes in a watched inbox."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from tests.plugins import tiny

KEYS = {"aws_access_key_id": "canary-id", "aws_secret_access_key": "canary-secret", "region_name": "us-east-1"}
DAY, NEXT = "2024-01-05", "2024-01-06"


@dataclass(frozen=True)
class Store:
    """A bucket of moto's S3 and the queue it tells."""

    address: str
    bucket: str
    queue: str

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.address, **KEYS)

    def connection(self) -> str:
        """The store as an Airflow connection, for `AIRFLOW_CONN_STORE`."""
        extra = {"endpoint_url": self.address, "region_name": KEYS["region_name"]}
        entry = {"login": KEYS["aws_access_key_id"], "password": KEYS["aws_secret_access_key"]}
        return json.dumps({"conn_type": "aws", **entry, "extra": extra})

    def put(self, key: str, file: Path) -> None:
        """Put an object, of which the bucket tells the queue."""
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=file.read_bytes())

    def send(self, body: str) -> None:
        """Say something to the queue, as somebody other than the bucket might."""
        self.client("sqs").send_message(QueueUrl=self.queue, MessageBody=body)

    def left(self) -> int:
        """Messages that are still in the queue, handed over or not."""
        asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=asked)
        return sum(int(told["Attributes"][name]) for name in asked)


def store(address: str, name: str) -> Store:
    """Make a bucket and a queue of this name; the first thing that S3 tells it is a test, which names no object."""
    sqs, s3 = (boto3.client(service, endpoint_url=address, **KEYS) for service in ("sqs", "s3"))
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    s3.create_bucket(Bucket=name)
    tells = {"QueueArn": asked["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"QueueConfigurations": [tells]})
    return Store(address, name, queue)


def write(use_cases: Path, of: Store) -> Path:
    """Write the use case below a folder."""
    shutil.copytree(tiny.USE_CASES / "tiny", use_cases / "tiny")
    place = use_cases / "tiny" / "spec.yaml"
    spec = yaml.safe_load(place.read_text(encoding="utf-8"))
    told = {"connection": "store", "bucket": of.bucket, "notifications": {"queue": of.queue}}
    spec["sources"]["plan"] |= {"type": "s3", "path": "plan/{partition}.csv", "s3": told}
    spec["sources"]["outcome"] |= {"files": {"watch": True}}
    spec["partitions"]["first"] = str(spec["partitions"]["first"])
    place.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return use_cases


def deliver(of: Store, home: Path, *days: str) -> None:
    """Deliver the outcomes of days into the inbox, and then their plans into the bucket."""
    tiny.deliver(home, days)
    for day in days:
        own = home / "inbox" / "tiny" / "plan" / f"{day}.csv"
        of.put(f"plan/{day}.csv", own)
        own.unlink()


def said(*days: str, source: str = "plan") -> dict[str, Any]:
    """What an event of Airflow says of deliveries."""
    return {"arrivals": [{"use_case": "tiny", "source": source, "partition": day} for day in days]}
