using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Let_registered_clients_manage_themselves : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "RegisteredMethod",
                table: "oauth_clients",
                type: "TEXT",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "RegistrationSha256",
                table: "oauth_clients",
                type: "TEXT",
                fixedLength: true,
                maxLength: 64,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "RegisteredMethod",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RegistrationSha256",
                table: "oauth_clients");
        }
    }
}
