"""What several sources share: decoding, time lines, live reading, pictures."""
