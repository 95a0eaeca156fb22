using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Keep_sessions_consents_and_token_families : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "consents",
                columns: table => new
                {
                    Account = table.Column<Guid>(type: "TEXT", nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", nullable: false),
                    Scopes = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_consents", x => new { x.Account, x.ClientId });
                    table.ForeignKey(
                        name: "FK_consents_accounts_Account",
                        column: x => x.Account,
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_consents_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "sessions",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    Account = table.Column<Guid>(type: "TEXT", nullable: false),
                    Opened = table.Column<long>(type: "INTEGER", nullable: false),
                    EndedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    Address = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    Agent = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sessions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_sessions_accounts_Account",
                        column: x => x.Account,
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "token_families",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", nullable: false),
                    Account = table.Column<Guid>(type: "TEXT", nullable: false),
                    Session = table.Column<Guid>(type: "TEXT", nullable: false),
                    Stamp = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Scopes = table.Column<string>(type: "TEXT", nullable: false),
                    Resource = table.Column<string>(type: "TEXT", maxLength: 400, nullable: true),
                    SignedIn = table.Column<long>(type: "INTEGER", nullable: false),
                    Created = table.Column<long>(type: "INTEGER", nullable: false),
                    RevokedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_token_families", x => x.Id);
                    table.ForeignKey(
                        name: "FK_token_families_accounts_Account",
                        column: x => x.Account,
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_token_families_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "authorization_codes",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "TEXT", nullable: false),
                    RedirectUri = table.Column<string>(type: "TEXT", maxLength: 400, nullable: false),
                    Challenge = table.Column<string>(type: "TEXT", maxLength: 43, nullable: false),
                    Nonce = table.Column<string>(type: "TEXT", maxLength: 300, nullable: true),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false),
                    ConsumedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_authorization_codes", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_authorization_codes_token_families_Family",
                        column: x => x.Family,
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "family_access_tokens",
                columns: table => new
                {
                    Jti = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "TEXT", nullable: false),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_family_access_tokens", x => x.Jti);
                    table.ForeignKey(
                        name: "FK_family_access_tokens_token_families_Family",
                        column: x => x.Family,
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "refresh_tokens",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "TEXT", fixedLength: true, maxLength: 64, nullable: false),
                    Family = table.Column<Guid>(type: "TEXT", nullable: false),
                    Expires = table.Column<long>(type: "INTEGER", nullable: false),
                    ConsumedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_refresh_tokens", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_refresh_tokens_token_families_Family",
                        column: x => x.Family,
                        principalTable: "token_families",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_authorization_codes_Expires",
                table: "authorization_codes",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_authorization_codes_Family",
                table: "authorization_codes",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_consents_ClientId",
                table: "consents",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_family_access_tokens_Expires",
                table: "family_access_tokens",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_family_access_tokens_Family",
                table: "family_access_tokens",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_refresh_tokens_Expires",
                table: "refresh_tokens",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_refresh_tokens_Family",
                table: "refresh_tokens",
                column: "Family");

            migrationBuilder.CreateIndex(
                name: "IX_sessions_Account",
                table: "sessions",
                column: "Account");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Account",
                table: "token_families",
                column: "Account");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_ClientId",
                table: "token_families",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_token_families_Created",
                table: "token_families",
                column: "Created");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "authorization_codes");

            migrationBuilder.DropTable(
                name: "consents");

            migrationBuilder.DropTable(
                name: "family_access_tokens");

            migrationBuilder.DropTable(
                name: "refresh_tokens");

            migrationBuilder.DropTable(
                name: "sessions");

            migrationBuilder.DropTable(
                name: "token_families");
        }
    }
}
