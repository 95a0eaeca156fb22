using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Billing.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Give_products_scopes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Scopes",
                table: "products",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Scopes",
                table: "products");
        }
    }
}
