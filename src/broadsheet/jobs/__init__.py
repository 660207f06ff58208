"""The writing side: poll, ingest, group, learn. Each claims work, decides purely, and saves in one transaction.

Any of it may be killed at any moment and run again: ids come from what they name, every save is an upsert, and what was
claimed is free again when its lease ends, or at once when its worker is seen to be dead on this machine.
"""

from broadsheet.jobs.adding import Added, add_address, add_page, import_opml
from broadsheet.jobs.grouping import Grouper, group
from broadsheet.jobs.ingesting import article_id, ingest
from broadsheet.jobs.labelling import labelled_pairs, left_alone
from broadsheet.jobs.learning import learn
from broadsheet.jobs.polling import poll
from broadsheet.jobs.rounds import refresh, work
from broadsheet.jobs.ruling import carry_out, rule_again, rule_apart, rule_together, rulings, take_back, why
from broadsheet.jobs.weighing import Run, Weighed, redo, runs, undo, weigh
from broadsheet.jobs.worker import Done, Progress, rhythm_of, worker_name

__all__ = [
    "Added", "Done", "Grouper", "Progress", "Run", "Weighed", "add_address", "add_page", "article_id", "carry_out", "group",
    "import_opml", "ingest", "labelled_pairs", "learn", "left_alone", "poll", "redo", "refresh", "rhythm_of", "rule_again", "rule_apart", "rule_together",
    "rulings", "runs", "take_back", "undo", "weigh", "why", "work", "worker_name",
]  # fmt: skip
