"""From the environment to rows: how every process of Waymark speaks to Postgres."""
