"""What a person may answer when a promotion waits for them."""

APPROVE, REJECT = "Approve", "Reject"
