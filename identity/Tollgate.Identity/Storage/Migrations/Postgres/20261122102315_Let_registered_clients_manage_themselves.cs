using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Let_registered_clients_manage_themselves : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "RegisteredMethod",
                schema: "identity",
                table: "oauth_clients",
                type: "character varying(32)",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "RegistrationSha256",
                schema: "identity",
                table: "oauth_clients",
                type: "character(64)",
                fixedLength: true,
                maxLength: 64,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "RegisteredMethod",
                schema: "identity",
                table: "oauth_clients");

            migrationBuilder.DropColumn(
                name: "RegistrationSha256",
                schema: "identity",
                table: "oauth_clients");
        }
    }
}
