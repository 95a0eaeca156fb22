using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Keep_pushed_requests_devices_and_proofs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_signing_keys_Generation",
                schema: "identity",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "Resource",
                schema: "identity",
                table: "token_families");

            migrationBuilder.AddColumn<string>(
                name: "DpopKey",
                schema: "identity",
                table: "token_families",
                type: "character varying(43)",
                maxLength: 43,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Methods",
                schema: "identity",
                table: "token_families",
                type: "character varying(64)",
                maxLength: 64,
                nullable: false,
                defaultValue: "pwd");

            migrationBuilder.AddColumn<string[]>(
                name: "Resources",
                schema: "identity",
                table: "token_families",
                type: "text[]",
                nullable: false,
                defaultValue: new string[0]);

            migrationBuilder.AlterColumn<string>(
                name: "Modulus",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(700)",
                maxLength: 700,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "character varying(700)",
                oldMaxLength: 700);

            migrationBuilder.AlterColumn<string>(
                name: "Exponent",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(16)",
                maxLength: 16,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "character varying(16)",
                oldMaxLength: 16);

            migrationBuilder.AddColumn<string>(
                name: "Algorithm",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(8)",
                maxLength: 8,
                nullable: false,
                defaultValue: "RS256");

            migrationBuilder.AddColumn<string>(
                name: "X",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Y",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "LastSeen",
                schema: "identity",
                table: "sessions",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Methods",
                schema: "identity",
                table: "sessions",
                type: "character varying(64)",
                maxLength: 64,
                nullable: false,
                defaultValue: "pwd");

            migrationBuilder.AddColumn<string>(
                name: "BackChannelLogoutUri",
                schema: "identity",
                table: "oauth_clients",
                type: "character varying(400)",
                maxLength: 400,
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "DisabledAt",
                schema: "identity",
                table: "oauth_clients",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "RequiresDpop",
                schema: "identity",
                table: "oauth_clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "RequiresPushedRequests",
                schema: "identity",
                table: "oauth_clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "SigningAlgorithm",
                schema: "identity",
                table: "oauth_clients",
                type: "character varying(8)",
                maxLength: 8,
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "Version",
                schema: "identity",
                table: "oauth_clients",
                type: "integer",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "Given",
                schema: "identity",
                table: "consents",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "DpopKey",
                schema: "identity",
                table: "authorization_codes",
                type: "character varying(43)",
                maxLength: 43,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "device_requests",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    UserCodeSha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    Scopes = table.Column<string[]>(type: "text[]", nullable: false),
                    Resources = table.Column<string[]>(type: "text[]", nullable: false),
                    Device = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    Address = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true),
                    Created = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Polled = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    IntervalSeconds = table.Column<int>(type: "integer", nullable: false),
                    Family = table.Column<Guid>(type: "uuid", nullable: true),
                    RefusedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ConsumedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_device_requests", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_device_requests_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "logout_notices",
                schema: "identity",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    Account = table.Column<Guid>(type: "uuid", nullable: false),
                    Session = table.Column<Guid>(type: "uuid", nullable: false),
                    Created = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Due = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Attempts = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_logout_notices", x => x.Id);
                    table.ForeignKey(
                        name: "FK_logout_notices_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "pushed_requests",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    Parameters = table.Column<string>(type: "text", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ConsumedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_pushed_requests", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_pushed_requests_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "seen_tokens",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_seen_tokens", x => x.Sha256);
                });

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Session",
                schema: "identity",
                table: "token_families",
                column: "Session");

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_Algorithm_Generation",
                schema: "identity",
                table: "signing_keys",
                columns: new[] { "Algorithm", "Generation" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_ClientId",
                schema: "identity",
                table: "device_requests",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_Expires",
                schema: "identity",
                table: "device_requests",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_UserCodeSha256",
                schema: "identity",
                table: "device_requests",
                column: "UserCodeSha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_logout_notices_ClientId",
                schema: "identity",
                table: "logout_notices",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_logout_notices_Due",
                schema: "identity",
                table: "logout_notices",
                column: "Due");

            migrationBuilder.CreateIndex(
                name: "IX_pushed_requests_ClientId",
                schema: "identity",
                table: "pushed_requests",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_pushed_requests_Expires",
                schema: "identity",
                table: "pushed_requests",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_seen_tokens_Expires",
                schema: "identity",
                table: "seen_tokens",
                column: "Expires");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "device_requests",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "logout_notices",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "pushed_requests",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "seen_tokens",
                schema: "identity");

            migrationBuilder.DropIndex(
                name: "IX_token_families_Session",
                schema: "identity",
                table: "token_families");

            migrationBuilder.DropIndex(
                name: "IX_signing_keys_Algorithm_Generation",
                schema: "identity",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "DpopKey",
                schema: "identity",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Methods",
                schema: "identity",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Resources",
                schema: "identity",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Algorithm",
                schema: "identity",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "X",
                schema: "identity",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "Y",
                schema: "identity",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "LastSeen",
                schema: "identity",
                table: "sessions");

            migrationBuilder.DropColumn(
                name: "Methods",
                schema: "identity",
                table: "sessions");

            migrationBuilder.DropColumn(
                name: "BackChannelLogoutUri",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "DisabledAt",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RequiresDpop",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RequiresPushedRequests",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "SigningAlgorithm",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "Version",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "Given",
                schema: "identity",
                table: "consents");

            migrationBuilder.DropColumn(
                name: "DpopKey",
                schema: "identity",
                table: "authorization_codes");

            migrationBuilder.AddColumn<string>(
                name: "Resource",
                schema: "identity",
                table: "token_families",
                type: "character varying(400)",
                maxLength: 400,
                nullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "Modulus",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(700)",
                maxLength: 700,
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "character varying(700)",
                oldMaxLength: 700,
                oldNullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "Exponent",
                schema: "identity",
                table: "signing_keys",
                type: "character varying(16)",
                maxLength: 16,
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "character varying(16)",
                oldMaxLength: 16,
                oldNullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_Generation",
                schema: "identity",
                table: "signing_keys",
                column: "Generation",
                unique: true);
        }
    }
}
