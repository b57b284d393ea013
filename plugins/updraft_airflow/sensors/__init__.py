"""What a run waits for; each with a timeout and a message that says what it waited for."""
