"""Read models for people: filters and cursors go in, queries for pages and counts come out."""
