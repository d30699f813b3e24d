CREATE SEQUENCE "public"."credential_epoch" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "credential_epochs" (
	"subject" text PRIMARY KEY NOT NULL,
	"epoch" bigint NOT NULL,
	"raised_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"raised_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"public_key" text NOT NULL,
	"encrypted_private_key" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"activated_at" timestamp (3) with time zone,
	"retired_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "replaced_session_secrets" (
	"secret_hash" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"replaced_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "epoch" bigint DEFAULT nextval('credential_epoch') NOT NULL;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "epoch" bigint DEFAULT nextval('credential_epoch') NOT NULL;--> statement-breakpoint
ALTER TABLE "replaced_session_secrets" ADD CONSTRAINT "replaced_session_secrets_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "replaced_session_secrets_session_id_index" ON "replaced_session_secrets" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "sessions_created_at_index" ON "sessions" USING btree ("created_at");