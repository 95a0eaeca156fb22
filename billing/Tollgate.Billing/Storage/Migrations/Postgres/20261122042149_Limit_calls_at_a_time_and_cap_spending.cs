using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Billing.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Limit_calls_at_a_time_and_cap_spending : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Concurrency",
                schema: "billing",
                table: "plan_versions",
                type: "text",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<decimal>(
                name: "SpendCap",
                schema: "billing",
                table: "plan_versions",
                type: "numeric(28,12)",
                precision: 28,
                scale: 12,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Concurrency",
                schema: "billing",
                table: "plan_versions");

            migrationBuilder.DropColumn(
                name: "SpendCap",
                schema: "billing",
                table: "plan_versions");
        }
    }
}
