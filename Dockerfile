# One image for every role: docker build -t tollgate . ; what it does is said by --roles.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
# Projects first: the restore is cached until a package or a reference changes.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY shared/Tollgate.Contracts/*.csproj shared/Tollgate.Contracts/
COPY shared/Tollgate.ServiceDefaults/*.csproj shared/Tollgate.ServiceDefaults/
COPY shared/Tollgate.Storage/*.csproj shared/Tollgate.Storage/
COPY gateway/Tollgate.Gateway/*.csproj gateway/Tollgate.Gateway/
COPY identity/Tollgate.Identity/*.csproj identity/Tollgate.Identity/
COPY billing/Tollgate.Billing/*.csproj billing/Tollgate.Billing/
COPY publishing/Tollgate.Publishing/*.csproj publishing/Tollgate.Publishing/
COPY portal/Tollgate.Portal/*.csproj portal/Tollgate.Portal/
COPY portal/Tollgate.Portal/*.targets portal/Tollgate.Portal/
COPY host/Tollgate.Host/*.csproj host/Tollgate.Host/
COPY host/Tollgate.Cli/*.csproj host/Tollgate.Cli/
# For the system of this image alone: what packages bring for others stays out.
RUN dotnet restore host/Tollgate.Host --use-current-runtime && dotnet restore host/Tollgate.Cli --use-current-runtime
COPY shared/ shared/
COPY gateway/ gateway/
COPY identity/ identity/
COPY billing/ billing/
COPY publishing/ publishing/
COPY portal/ portal/
COPY host/ host/
RUN dotnet publish host/Tollgate.Host -c Release --no-restore --use-current-runtime -o /app
# The command line: docker run --entrypoint dotnet … tollgate cli/tollgate.dll check /etc/tollgate/routes
RUN dotnet publish host/Tollgate.Cli -c Release --no-restore --use-current-runtime -o /app/cli

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS final
WORKDIR /app
COPY --from=build /app .
# A folder that the image's unprivileged user may write; mount a volume here to keep journals and keys.
RUN install -d -m 700 -o $APP_UID -g $APP_UID /data
USER $APP_UID
ENV TOLLGATE_DATA=/data \
    Listen__Gateway=http://0.0.0.0:8080 \
    Listen__Portal=http://0.0.0.0:8090 \
    Listen__Internal=http://0.0.0.0:8099
EXPOSE 8080 8090 8099
VOLUME /data
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["dotnet", "Tollgate.Host.dll", "health", "http://127.0.0.1:8099/health/ready"]
ENTRYPOINT ["dotnet", "Tollgate.Host.dll"]
