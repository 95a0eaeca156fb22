using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Billing.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Limit_calls_at_a_time_and_cap_spending : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Concurrency",
                table: "plan_versions",
                type: "TEXT",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<decimal>(
                name: "SpendCap",
                table: "plan_versions",
                type: "TEXT",
                precision: 28,
                scale: 12,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Concurrency",
                table: "plan_versions");

            migrationBuilder.DropColumn(
                name: "SpendCap",
                table: "plan_versions");
        }
    }
}
