using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Publishing.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Keep_what_services_publish : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "publishing");

            migrationBuilder.CreateTable(
                name: "changes",
                schema: "publishing",
                columns: table => new
                {
                    Kind = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    Key = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    Version = table.Column<long>(type: "bigint", nullable: false),
                    Line = table.Column<string>(type: "text", nullable: false),
                    Removed = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_changes", x => new { x.Kind, x.Key });
                });

            migrationBuilder.CreateTable(
                name: "feed_head",
                schema: "publishing",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Epoch = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    Version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_feed_head", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fragment_versions",
                schema: "publishing",
                columns: table => new
                {
                    Service = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false),
                    Number = table.Column<long>(type: "bigint", nullable: false),
                    Content = table.Column<string>(type: "text", nullable: false),
                    Sha256 = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    Routes = table.Column<int>(type: "integer", nullable: false),
                    Change = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    From = table.Column<long>(type: "bigint", nullable: true),
                    By = table.Column<string>(type: "character varying(320)", maxLength: 320, nullable: false),
                    At = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    IsInForce = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fragment_versions", x => new { x.Service, x.Number });
                });

            migrationBuilder.CreateTable(
                name: "gateway_standings",
                schema: "publishing",
                columns: table => new
                {
                    Gateway = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    Service = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false),
                    Version = table.Column<long>(type: "bigint", nullable: false),
                    InForce = table.Column<long>(type: "bigint", nullable: true),
                    Reasons = table.Column<string>(type: "character varying(8000)", maxLength: 8000, nullable: false),
                    At = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gateway_standings", x => new { x.Gateway, x.Service });
                });

            migrationBuilder.CreateIndex(
                name: "IX_changes_Version",
                schema: "publishing",
                table: "changes",
                column: "Version");

            migrationBuilder.CreateIndex(
                name: "IX_fragment_versions_IsInForce",
                schema: "publishing",
                table: "fragment_versions",
                column: "IsInForce");

            migrationBuilder.CreateIndex(
                name: "IX_gateway_standings_Service",
                schema: "publishing",
                table: "gateway_standings",
                column: "Service");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "changes",
                schema: "publishing");

            migrationBuilder.DropTable(
                name: "feed_head",
                schema: "publishing");

            migrationBuilder.DropTable(
                name: "fragment_versions",
                schema: "publishing");

            migrationBuilder.DropTable(
                name: "gateway_standings",
                schema: "publishing");
        }
    }
}
