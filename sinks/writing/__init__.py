"""What several sinks share: files that appear whole, folders, records, clocks, video and sound."""
