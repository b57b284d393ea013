"""Both sides of a source whose files lie in an object store."""

import json
from dataclasses import replace

import boto3
from tests.stands import DAY, LOGIN, NEXT, SECRET, Stand, of_day

from updraft.sources import Connection, Found


class S3(Stand):
    absent = Found(DAY, "s3://facts/facts/nothing.jsonl")

    def __init__(self, folder, server):
        super().__init__(folder)
        self.server = server
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        self.client = boto3.client("s3", endpoint_url=server.address, region_name="us-east-1", **keys)
        self.client.create_bucket(Bucket="facts")

    def settings(self):
        return {"path": "facts/{partition}.jsonl", "format": "jsonl", "s3": {"connection": "there", "bucket": "facts"}}

    def open(self):
        extra = {"endpoint_url": self.server.address, "region_name": "us-east-1"}
        return Connection("there", "aws", login=LOGIN, password=SECRET, extra=extra)

    def shut(self):
        self.server.check_keys(True)
        return replace(self.open(), password="another-secret")

    def close(self):
        self.server.check_keys(False)
        for each in self.client.list_objects_v2(Bucket="facts").get("Contents", ()):
            self.client.delete_object(Bucket="facts", Key=each["Key"])

    def _put(self, key, body):
        self.client.put_object(Bucket="facts", Key=f"facts/{key}.jsonl", Body=body)

    def deliver(self):
        for key in (DAY, NEXT):
            self._put(key, "".join(json.dumps(row) + "\n" for row in of_day(key)).encode())

    def flood(self):
        self._put(DAY, b"x" * 100_001)


class FilesInS3(S3):
    """The same bucket, by its URL."""

    kind = "files"

    def settings(self):
        return {
            "path": "s3://facts/facts/{partition}.jsonl",
            "format": "jsonl",
            "files": {"connection": "there"},
        }


class FilesInAzure(Stand):
    """A container of the small server that lists as Azure does; it is entered with a shared access signature."""

    kind = "files"
    absent = Found(DAY, "az://facts/facts/nothing.jsonl")

    def __init__(self, folder, bucket, port):
        super().__init__(folder)
        self.bucket, self.port = bucket, port
        bucket.signature = SECRET

    def settings(self):
        return {"path": "az://facts/facts/{partition}.jsonl", "format": "jsonl", "files": {"connection": "there"}}

    def open(self):
        return self._with(SECRET)

    def shut(self):
        return self._with("another-secret")

    def _with(self, signature):
        host = f"http://127.0.0.1:{self.port}/account"
        return Connection(
            "there", "wasb", host, login="account", extra={"sas_token": f"?sv=2024-11-04&sig={signature}"}
        )

    def deliver(self):
        for key in (DAY, NEXT):
            self.bucket.put(f"facts/{key}.jsonl", "".join(json.dumps(row) + "\n" for row in of_day(key)).encode())

    def flood(self):
        self.bucket.put(f"facts/{DAY}.jsonl", b"x" * 100_001)


class FilesInGoogle(FilesInAzure):
    """The same, listed as Google does; its tokens come from Google, so here it is the server that shuts."""

    absent = Found(DAY, "gs://facts/facts/nothing.jsonl")

    def __init__(self, folder, bucket, port):
        super().__init__(folder, bucket, port)
        bucket.signature = ""

    def settings(self):
        return {**super().settings(), "path": "gs://facts/facts/{partition}.jsonl"}

    def open(self):
        key = {"gcs_base_url": f"http://127.0.0.1:{self.port}", "disable_oauth": True, "client_email": LOGIN}
        extra = {"keyfile_dict": {**key, "private_key": SECRET, "private_key_id": "1"}}
        return Connection("there", "google_cloud_platform", extra=extra)

    def shut(self):
        self.bucket.closed = True
        return self.open()
