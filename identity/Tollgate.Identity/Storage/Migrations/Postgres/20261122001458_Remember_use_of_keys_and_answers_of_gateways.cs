using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Tollgate.Identity.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Remember_use_of_keys_and_answers_of_gateways : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "HighRisk",
                schema: "identity",
                table: "api_keys",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "LastUsed",
                schema: "identity",
                table: "api_keys",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "LeftFeed",
                schema: "identity",
                table: "api_keys",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "gateway_answers",
                schema: "identity",
                columns: table => new
                {
                    Question = table.Column<Guid>(type: "uuid", nullable: false),
                    Node = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    Answer = table.Column<string>(type: "text", nullable: false),
                    At = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gateway_answers", x => new { x.Question, x.Node });
                });

            migrationBuilder.CreateIndex(
                name: "IX_gateway_answers_At",
                schema: "identity",
                table: "gateway_answers",
                column: "At");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "gateway_answers",
                schema: "identity");

            migrationBuilder.DropColumn(
                name: "HighRisk",
                schema: "identity",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "LastUsed",
                schema: "identity",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "LeftFeed",
                schema: "identity",
                table: "api_keys");
        }
    }
}
