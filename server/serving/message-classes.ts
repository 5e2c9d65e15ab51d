import express from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { http } from './node-http.ts';

type MessageClass = abstract new (...parameters: never[]) => object;

/** Server options that make a node server create requests and responses which are express' own from the start. */
interface MessageClasses {
  readonly Http1IncomingMessage: typeof IncomingMessage;
  readonly Http1ServerResponse: typeof ServerResponse;
  readonly Http2ServerRequest: typeof http2.Http2ServerRequest;
  readonly Http2ServerResponse: typeof http2.Http2ServerResponse;
}

/** express' application as far as this file reaches into it. */
interface ApplicationInternals {
  request: object;
  response: object;
  handle(request: IncomingMessage | http2.Http2ServerRequest, response: object, next?: (error?: unknown) => void): void;
}

function derive<Class extends MessageClass>(base: Class, mixin: object, own: object): Class {
  const Derived = class extends (base as unknown as new (...parameters: unknown[]) => object) {};
  Object.defineProperties(Derived.prototype, {
    ...Object.getOwnPropertyDescriptors(mixin),
    ...Object.getOwnPropertyDescriptors(own),
    constructor: { value: Derived },
  });
  return Derived as unknown as Class;
}

/**
 * Makes an express application serve HTTP/1.1 and HTTP/2 on one port. express re-parents every request and response to
 * prototypes of HTTP/1.1, which breaks HTTP/2 and deoptimises HTTP/1.1; here the server itself creates them from classes
 * that already are what express wants, so that its `Object.setPrototypeOf` changes nothing.
 */
export function createMessageClasses(app: express.Express): MessageClasses {
  const internals = app as unknown as ApplicationInternals;
  const classes = {
    Http1IncomingMessage: derive(http.IncomingMessage, express.request, internals.request),
    Http1ServerResponse: derive(http.ServerResponse, express.response, internals.response),
    Http2ServerRequest: derive(http2.Http2ServerRequest, express.request, internals.request),
    Http2ServerResponse: derive(http2.Http2ServerResponse, express.response, internals.response),
  };
  const handle = internals.handle;
  internals.handle = function (this: ApplicationInternals, request, response, next) {
    // The version in the request does not decide: an HTTP/1.1 connection may carry a request that claims HTTP/2.0.
    const isHTTP2 = request instanceof classes.Http2ServerRequest;
    this.request = (isHTTP2 ? classes.Http2ServerRequest : classes.Http1IncomingMessage).prototype;
    this.response = (isHTTP2 ? classes.Http2ServerResponse : classes.Http1ServerResponse).prototype;
    return handle.call(this, request, response, next);
  };
  return classes as MessageClasses;
}
