-- minimum-code: 1
-- Lists of one workflow's runs for people, newest first: without it a workflow that runs rarely is searched
-- for among all runs. Finished ones only: the others are found by the indexes that claims and wakes need,
-- and those statements, whose plans are fixed, must not be tempted by another index that begins with program.

create index instances_finished_of_program on {schema}.instances (program, id) where state >= 4;
