"""Tests of schedules: cron and intervals."""
