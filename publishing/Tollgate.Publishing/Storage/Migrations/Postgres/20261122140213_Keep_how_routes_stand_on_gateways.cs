using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Publishing.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Keep_how_routes_stand_on_gateways : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
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
                name: "IX_gateway_standings_Service",
                schema: "publishing",
                table: "gateway_standings",
                column: "Service");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "gateway_standings",
                schema: "publishing");
        }
    }
}
