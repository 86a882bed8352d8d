"""The example application: welcome e-mails as a durable workflow behind a small web service."""
