using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Suspend_one_application : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "SuspendedAt",
                table: "applications",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "SuspendedAt",
                table: "applications");
        }
    }
}
