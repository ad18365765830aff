"""The tables of a session file."""

TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, annotator TEXT NOT NULL, action INTEGER NOT NULL, kind TEXT NOT NULL,
  round INTEGER, position INTEGER, item TEXT NOT NULL, row INTEGER, old INTEGER NOT NULL, label INTEGER NOT NULL,
  component TEXT, score REAL, seconds REAL, at REAL NOT NULL, code TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_item ON events (annotator, item, id);
CREATE TABLE IF NOT EXISTS rounds (
  annotator TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, asked TEXT NOT NULL, told TEXT,
  after INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (annotator, number));
CREATE TABLE IF NOT EXISTS leases (
  annotator TEXT PRIMARY KEY, holder TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  since REAL NOT NULL, seen REAL NOT NULL);
CREATE VIEW IF NOT EXISTS answers AS
  SELECT * FROM events WHERE id IN (SELECT max(id) FROM events GROUP BY annotator, item) AND label > -2;
"""
