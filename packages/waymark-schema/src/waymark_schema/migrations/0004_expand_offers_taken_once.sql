-- minimum-code: 1
-- An offer is open, taken, or returned by a taker that died; whoever writes anything else is refused.

alter table {schema}.offers
    add constraint offers_taken_at_most_once check (takes = 1 or (takes = 0 and taken_by is null));
