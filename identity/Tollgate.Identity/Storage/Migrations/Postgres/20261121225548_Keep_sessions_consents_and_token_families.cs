using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Keep_sessions_consents_and_token_families : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "consents",
                schema: "identity",
                columns: table => new
                {
                    Account = table.Column<Guid>(type: "uuid", nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", nullable: false),
                    Scopes = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_consents", x => new { x.Account, x.ClientId });
                    table.ForeignKey(
                        name: "FK_consents_accounts_Account",
                        column: x => x.Account,
                        principalSchema: "identity",
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_consents_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "sessions",
                schema: "identity",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    Account = table.Column<Guid>(type: "uuid", nullable: false),
                    Opened = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    EndedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    Address = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true),
                    Agent = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sessions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_sessions_accounts_Account",
                        column: x => x.Account,
                        principalSchema: "identity",
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "token_families",
                schema: "identity",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", nullable: false),
                    Account = table.Column<Guid>(type: "uuid", nullable: false),
                    Session = table.Column<Guid>(type: "uuid", nullable: false),
                    Stamp = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    Scopes = table.Column<string[]>(type: "text[]", nullable: false),
                    Resource = table.Column<string>(type: "character varying(400)", maxLength: 400, nullable: true),
                    SignedIn = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Created = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    RevokedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_token_families", x => x.Id);
                    table.ForeignKey(
                        name: "FK_token_families_accounts_Account",
                        column: x => x.Account,
                        principalSchema: "identity",
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_token_families_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "authorization_codes",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "uuid", nullable: false),
                    RedirectUri = table.Column<string>(type: "character varying(400)", maxLength: 400, nullable: false),
                    Challenge = table.Column<string>(type: "character varying(43)", maxLength: 43, nullable: false),
                    Nonce = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: true),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ConsumedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_authorization_codes", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_authorization_codes_token_families_Family",
                        column: x => x.Family,
                        principalSchema: "identity",
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "family_access_tokens",
                schema: "identity",
                columns: table => new
                {
                    Jti = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "uuid", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_family_access_tokens", x => x.Jti);
                    table.ForeignKey(
                        name: "FK_family_access_tokens_token_families_Family",
                        column: x => x.Family,
                        principalSchema: "identity",
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "refresh_tokens",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "uuid", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ConsumedAt = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_refresh_tokens", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_refresh_tokens_token_families_Family",
                        column: x => x.Family,
                        principalSchema: "identity",
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_authorization_codes_Expires",
                schema: "identity",
                table: "authorization_codes",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_authorization_codes_Family",
                schema: "identity",
                table: "authorization_codes",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_consents_ClientId",
                schema: "identity",
                table: "consents",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_family_access_tokens_Expires",
                schema: "identity",
                table: "family_access_tokens",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_family_access_tokens_Family",
                schema: "identity",
                table: "family_access_tokens",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_refresh_tokens_Expires",
                schema: "identity",
                table: "refresh_tokens",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_refresh_tokens_Family",
                schema: "identity",
                table: "refresh_tokens",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_sessions_Account",
                schema: "identity",
                table: "sessions",
                column: "Account");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Account",
                schema: "identity",
                table: "token_families",
                column: "Account");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_ClientId",
                schema: "identity",
                table: "token_families",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Created",
                schema: "identity",
                table: "token_families",
                column: "Created");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "authorization_codes",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "consents",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "family_access_tokens",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "refresh_tokens",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "sessions",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "token_families",
                schema: "identity");
        }
    }
}
