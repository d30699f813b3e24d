FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 NEXUS_DATA_DIR=/data
WORKDIR /app

# The image has its own Node: the one that npm brings for older machines would only add its weight.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/.bin/node \
  && npm cache clean --force

# The code stays root's: the server can read it and cannot change it. Only the data directory is its own.
COPY schema ./schema
COPY drizzle ./drizzle
COPY src ./src
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 4000

# For plain HTTP behind a proxy; with TLS_CERT_FILE, bring a health check that trusts your certificate.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((res) => process.exit(res.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=16", "--max-old-space-size=160", "src/main.ts"]
