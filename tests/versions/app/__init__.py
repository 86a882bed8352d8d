"""What a user deploys, in words that every release understands."""
