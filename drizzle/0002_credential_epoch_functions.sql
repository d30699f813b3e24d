-- One lock for each subject: writes share it until they are committed, whoever raises its epoch has it alone. It queues
-- in order, which locks of rows do not: a stream of writes cannot keep a revocation waiting.
CREATE FUNCTION credential_lock(subject text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(subject, 7305219843);
--> statement-breakpoint
-- Raises the epochs of the subjects, once the writes under their rights that are under way have ended.
CREATE FUNCTION raise_credential_epochs(subjects text[]) RETURNS SETOF credential_epochs
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(lock)
  FROM (SELECT DISTINCT credential_lock(subject) AS lock FROM unnest(subjects) AS subject ORDER BY lock) AS ordered;
  RETURN QUERY
    INSERT INTO credential_epochs (subject, epoch)
    SELECT DISTINCT ON (subject) subject, nextval('credential_epoch') FROM unnest(subjects) AS subject
    ON CONFLICT (subject) DO UPDATE
    SET epoch = excluded.epoch, raised_by = pg_current_xact_id(), raised_at = clock_timestamp()
    RETURNING *;
END
$$;
--> statement-breakpoint
-- Whether an epoch was raised since a verdict was read with these; until the end of the transaction none will be, but
-- by this transaction itself, whose own raises do not count. Each statement in here sees what is committed by then.
CREATE FUNCTION credential_epochs_moved(subjects text[], epochs bigint[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(lock)
  FROM (SELECT DISTINCT credential_lock(subject) AS lock FROM unnest(subjects) AS subject ORDER BY lock) AS ordered;
  RETURN EXISTS (
    SELECT FROM unnest(subjects, epochs) AS read (subject, epoch) JOIN credential_epochs AS present USING (subject)
    WHERE present.epoch > read.epoch AND present.raised_by <> pg_current_xact_id()
  );
END
$$;
--> statement-breakpoint
-- For a change that is one statement: fails it where an epoch was raised since.
CREATE FUNCTION require_credential_epochs(subjects text[], epochs bigint[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF credential_epochs_moved(subjects, epochs) THEN
    RAISE EXCEPTION 'The rights of the caller may have changed.' USING ERRCODE = 'NX001';
  END IF;
  RETURN true;
END
$$;
