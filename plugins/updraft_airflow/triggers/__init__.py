"""What a run waits for, without holding a worker."""
