CREATE TABLE "ip_blocks" (
	"id" text PRIMARY KEY NOT NULL,
	"cidr" "cidr" NOT NULL,
	"reason" text NOT NULL,
	"automatic" boolean NOT NULL,
	"created_by" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"lifted_at" timestamp (3) with time zone,
	"lifted_by" text,
	"version" integer DEFAULT 1 NOT NULL,
	"changed_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ip_blocks" ADD CONSTRAINT "ip_blocks_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ip_blocks" ADD CONSTRAINT "ip_blocks_lifted_by_users_id_fk" FOREIGN KEY ("lifted_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ip_blocks_created_at_index" ON "ip_blocks" USING btree ("created_at","id") WHERE "ip_blocks"."lifted_at" is null;--> statement-breakpoint
CREATE INDEX "ip_blocks_cidr_index" ON "ip_blocks" USING btree ("cidr","created_at");--> statement-breakpoint
CREATE INDEX "ip_blocks_expires_at_index" ON "ip_blocks" USING btree ("expires_at") WHERE "ip_blocks"."lifted_at" is null;--> statement-breakpoint
CREATE INDEX "ip_blocks_changed_by_index" ON "ip_blocks" USING btree ("changed_by");