CREATE TABLE "foreign_identities" (
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"user_id" text NOT NULL,
	"roles_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "foreign_identities_issuer_subject_pk" PRIMARY KEY("issuer","subject"),
	CONSTRAINT "foreign_identities_user_id_unique" UNIQUE("user_id")
);
--> statement-breakpoint
ALTER TABLE "foreign_identities" ADD CONSTRAINT "foreign_identities_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;