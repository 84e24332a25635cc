FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:24-slim
WORKDIR /app
COPY --from=build /app /app
ENV NODE_ENV=production NODE_COMPILE_CACHE=/tmp/compiled HOST=0.0.0.0 STATE_DIR=/data
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 8787
HEALTHCHECK --start-period=30s CMD ["node", "-e", "fetch(`http://localhost:${process.env.PORT || 8787}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1))"]
CMD ["node", "api/local/start.ts", "--no-build"]
