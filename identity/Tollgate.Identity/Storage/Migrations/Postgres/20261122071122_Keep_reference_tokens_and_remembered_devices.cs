using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Keep_reference_tokens_and_remembered_devices : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "UsesReferenceTokens",
                schema: "identity",
                table: "oauth_clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "reference_tokens",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    Claims = table.Column<string>(type: "text", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reference_tokens", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_reference_tokens_oauth_clients_ClientId",
                        column: x => x.ClientId,
                        principalSchema: "identity",
                        principalTable: "oauth_clients",
                        principalColumn: "ClientId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "remembered_devices",
                schema: "identity",
                columns: table => new
                {
                    Sha256 = table.Column<string>(type: "character(64)", fixedLength: true, maxLength: 64, nullable: false),
                    Account = table.Column<Guid>(type: "uuid", nullable: false),
                    Stamp = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    Agent = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    Created = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    Expires = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remembered_devices", x => x.Sha256);
                    table.ForeignKey(
                        name: "FK_remembered_devices_accounts_Account",
                        column: x => x.Account,
                        principalSchema: "identity",
                        principalTable: "accounts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_reference_tokens_ClientId",
                schema: "identity",
                table: "reference_tokens",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_reference_tokens_Expires",
                schema: "identity",
                table: "reference_tokens",
                column: "Expires");

            migrationBuilder.CreateIndex(
                name: "IX_remembered_devices_Account",
                schema: "identity",
                table: "remembered_devices",
                column: "Account");

            migrationBuilder.CreateIndex(
                name: "IX_remembered_devices_Expires",
                schema: "identity",
                table: "remembered_devices",
                column: "Expires");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "reference_tokens",
                schema: "identity");

            migrationBuilder.DropTable(
                name: "remembered_devices",
                schema: "identity");

            migrationBuilder.DropColumn(
                name: "UsesReferenceTokens",
                schema: "identity",
                table: "oauth_clients");
        }
    }
}
