"""What the kinds of sources share: how they get in, which span they ask for, and how they write what they were told."""
