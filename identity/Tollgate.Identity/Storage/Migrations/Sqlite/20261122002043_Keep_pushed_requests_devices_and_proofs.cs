using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Keep_pushed_requests_devices_and_proofs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_signing_keys_Generation",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "Resource",
                table: "token_families");

            migrationBuilder.AddColumn<string>(
                name: "DpopKey",
                table: "token_families",
                type: "TEXT",
                maxLength: 43,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Methods",
                table: "token_families",
                type: "TEXT",
                maxLength: 64,
                nullable: false,
                defaultValue: "pwd");

            migrationBuilder.AddColumn<string>(
                name: "Resources",
                table: "token_families",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AlterColumn<string>(
                name: "Modulus",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 700,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 700);

            migrationBuilder.AlterColumn<string>(
                name: "Exponent",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 16,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 16);

            migrationBuilder.AddColumn<string>(
                name: "Algorithm",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 8,
                nullable: false,
                defaultValue: "RS256");

            migrationBuilder.AddColumn<string>(
                name: "X",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Y",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "LastSeen",
                table: "sessions",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Methods",
                table: "sessions",
                type: "TEXT",
                maxLength: 64,
                nullable: false,
                defaultValue: "pwd");

            migrationBuilder.AddColumn<string>(
                name: "BackChannelLogoutUri",
                table: "oauth_clients",
                type: "TEXT",
                maxLength: 400,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "DisabledAt",
                table: "oauth_clients",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "RequiresDpop",
                table: "oauth_clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "RequiresPushedRequests",
                table: "oauth_clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "SigningAlgorithm",
                table: "oauth_clients",
                type: "TEXT",
                maxLength: 8,
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "Version",
                table: "oauth_clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<long>(
                name: "Given",
                table: "consents",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "DpopKey",
                table: "authorization_codes",
                type: "TEXT",
                maxLength: 43,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "device_requests",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    UserCodeSha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    Scopes = table.Column<string>(type: "TEXT", nullable: false),
                    Resources = table.Column<string>(type: "TEXT", nullable: false),
                    Device = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    Address = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    Created = table.Column<long>(type: "INTEGER", nullable: false),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false),
                    Polled = table.Column<long>(type: "INTEGER", nullable: true),
                    IntervalSeconds = table.Column<int>(type: "INTEGER", nullable: false),
                    Family = table.Column<Guid>(type: "TEXT", nullable: true),
                    RefusedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    ConsumedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_device_requests", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_device_requests_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "logout_notices",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    Account = table.Column<Guid>(type: "TEXT", nullable: false),
                    Session = table.Column<Guid>(type: "TEXT", nullable: false),
                    Created = table.Column<long>(type: "INTEGER", nullable: false),
                    Due = table.Column<long>(type: "INTEGER", nullable: false),
                    Attempts = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_logout_notices", x => x.Id);
                    table.ForeignKey(
                        name: "FK_logout_notices_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "pushed_requests",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    Parameters = table.Column<string>(type: "TEXT", nullable: false),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false),
                    ConsumedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_pushed_requests", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_pushed_requests_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "seen_tokens",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_seen_tokens", x => x.Sha256);
                });

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Session",
                table: "token_families",
                column: "Session");

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_Algorithm_Generation",
                table: "signing_keys",
                columns: new[] { "Algorithm", "Generation" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_ClientId",
                table: "device_requests",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_Expires",
                table: "device_requests",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_device_requests_UserCodeSha256",
                table: "device_requests",
                column: "UserCodeSha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_logout_notices_ClientId",
                table: "logout_notices",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_logout_notices_Due",
                table: "logout_notices",
                column: "Due");

            migrationBuilder.CreateIndex(
                name: "IX_pushed_requests_ClientId",
                table: "pushed_requests",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_pushed_requests_Expires",
                table: "pushed_requests",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_seen_tokens_Expires",
                table: "seen_tokens",
                column: "Expires");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "device_requests");

            migrationBuilder.DropTable(
                name: "logout_notices");

            migrationBuilder.DropTable(
                name: "pushed_requests");

            migrationBuilder.DropTable(
                name: "seen_tokens");

            migrationBuilder.DropIndex(
                name: "IX_token_families_Session",
                table: "token_families");

            migrationBuilder.DropIndex(
                name: "IX_signing_keys_Algorithm_Generation",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "DpopKey",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Methods",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Resources",
                table: "token_families");

            migrationBuilder.DropColumn(
                name: "Algorithm",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "X",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "Y",
                table: "signing_keys");

            migrationBuilder.DropColumn(
                name: "LastSeen",
                table: "sessions");

            migrationBuilder.DropColumn(
                name: "Methods",
                table: "sessions");

            migrationBuilder.DropColumn(
                name: "BackChannelLogoutUri",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "DisabledAt",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RequiresDpop",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RequiresPushedRequests",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "SigningAlgorithm",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "Version",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "Given",
                table: "consents");

            migrationBuilder.DropColumn(
                name: "DpopKey",
                table: "authorization_codes");

            migrationBuilder.AddColumn<string>(
                name: "Resource",
                table: "token_families",
                type: "TEXT",
                maxLength: 400,
                nullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "Modulus",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 700,
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 700,
                oldNullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "Exponent",
                table: "signing_keys",
                type: "TEXT",
                maxLength: 16,
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 16,
                oldNullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_Generation",
                table: "signing_keys",
                column: "Generation",
                unique: true);
        }
    }
}
