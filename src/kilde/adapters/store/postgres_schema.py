"""The ledger's tables in PostgreSQL: the same as in SQLite (ledger_schema.py), the same refusals, and TRUNCATE is refused too."""

VERSION = 2

TABLES = """
CREATE TABLE kilde_ledger_version (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), version integer NOT NULL);
CREATE TABLE kilde_records (
    number bigint PRIMARY KEY, at text NOT NULL, kind text NOT NULL, body text NOT NULL, previous text NOT NULL, hash text NOT NULL,
    operation bigint
);
CREATE INDEX kilde_openings ON kilde_records (number) WHERE kind = 'operation-opened';
CREATE INDEX kilde_closings ON kilde_records (operation) WHERE kind = 'operation-closed';
CREATE INDEX kilde_notices ON kilde_records (kind) WHERE kind NOT IN ('operation-opened', 'operation-closed');
CREATE TABLE kilde_head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), number bigint NOT NULL, hash text NOT NULL, edge bytea NOT NULL
);
CREATE TABLE kilde_nodes (level integer NOT NULL, place bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, place));
CREATE TABLE kilde_checkpoints (size bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE kilde_people (ref text PRIMARY KEY, key text NOT NULL, text text NOT NULL UNIQUE);
CREATE TABLE kilde_given_up (number bigint PRIMARY KEY, hash text NOT NULL);

CREATE FUNCTION kilde_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% of % is refused: the ledger only grows', TG_OP, TG_TABLE_NAME; END $$;

CREATE FUNCTION kilde_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    last text;
BEGIN
    SELECT number, hash INTO head, last FROM kilde_head;
    IF NEW.number > head + 1 THEN -- it follows a record of the same transaction, to which the head has yet to move
        SELECT hash INTO last FROM kilde_records WHERE number = NEW.number - 1;
    END IF;
    IF NEW.number <= head OR last IS DISTINCT FROM NEW.previous THEN
        RAISE EXCEPTION 'a record follows the head';
    END IF;
    NEW.operation := CASE WHEN NEW.kind = 'operation-closed' THEN (NEW.body::json ->> 'operation')::bigint END;
    RETURN NEW;
END $$;

CREATE FUNCTION kilde_advances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <= OLD.number
       OR NOT EXISTS (SELECT 1 FROM kilde_records WHERE number = NEW.number AND hash = NEW.hash)
       OR EXISTS (SELECT 1 FROM kilde_records WHERE number > NEW.number) THEN
        RAISE EXCEPTION 'the head moves on to the last record';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION kilde_may_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM kilde_given_up WHERE number = OLD.number AND hash = OLD.hash)
       OR NOT EXISTS (SELECT 1 FROM kilde_records WHERE kind = 'records-pruned' AND number > OLD.number
                      AND (body::json ->> 'last')::bigint >= OLD.number) THEN
        RAISE EXCEPTION 'records are never removed';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION kilde_may_be_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM kilde_records WHERE kind = 'person-erased' AND body::json ->> 'person' = OLD.ref)
       AND EXISTS (SELECT 1 FROM kilde_records WHERE strpos(body, OLD.ref) > 0) THEN
        RAISE EXCEPTION 'people are erased behind a record that says so';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION kilde_is_given_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM kilde_records WHERE number = NEW.number AND hash = NEW.hash) THEN
        RAISE EXCEPTION 'only records are given up';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER follows BEFORE INSERT ON kilde_records FOR EACH ROW EXECUTE FUNCTION kilde_follows();
CREATE TRIGGER keep BEFORE UPDATE ON kilde_records FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
CREATE TRIGGER stay BEFORE DELETE ON kilde_records FOR EACH ROW EXECUTE FUNCTION kilde_may_go();
CREATE TRIGGER advances BEFORE UPDATE ON kilde_head FOR EACH ROW EXECUTE FUNCTION kilde_advances();
CREATE TRIGGER stay BEFORE DELETE ON kilde_head FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON kilde_nodes FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON kilde_checkpoints FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
CREATE TRIGGER keep BEFORE UPDATE ON kilde_people FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
CREATE TRIGGER stay BEFORE DELETE ON kilde_people FOR EACH ROW EXECUTE FUNCTION kilde_may_be_erased();
CREATE TRIGGER follows BEFORE INSERT ON kilde_given_up FOR EACH ROW EXECUTE FUNCTION kilde_is_given_up();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON kilde_given_up FOR EACH ROW EXECUTE FUNCTION kilde_refuse();
"""

NAMES = ("records", "head", "nodes", "checkpoints", "people", "given_up")
NO_TRUNCATE = "CREATE TRIGGER whole BEFORE TRUNCATE ON kilde_{} FOR EACH STATEMENT EXECUTE FUNCTION kilde_refuse()"
