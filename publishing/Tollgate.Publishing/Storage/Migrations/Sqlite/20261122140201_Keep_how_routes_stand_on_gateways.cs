using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Publishing.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Keep_how_routes_stand_on_gateways : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "gateway_standings",
                columns: table => new
                {
                    Gateway = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Service = table.Column<string>(type: "TEXT", maxLength: 63, nullable: false),
                    Version = table.Column<long>(type: "INTEGER", nullable: false),
                    InForce = table.Column<long>(type: "INTEGER", nullable: true),
                    Reasons = table.Column<string>(type: "TEXT", maxLength: 8000, nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gateway_standings", x => new { x.Gateway, x.Service });
                });

            migrationBuilder.CreateIndex(
                name: "IX_gateway_standings_Service",
                table: "gateway_standings",
                column: "Service");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "gateway_standings");
        }
    }
}
