// A server on the loopback address whose every reply a test writes: HTTP/1.1, one request for each
// connection, several at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::support {

struct ScriptedRequest {
  std::string path;     // "/v1/completions"
  std::string headers;  // all of them, with the first line
  std::string body;     // empty: a GET
};

struct ScriptedReply {
  int status = 200;
  std::string body;
  std::vector<std::string> headers = {};  // "Retry-After: 1"
  std::chrono::milliseconds delay{0};
  bool is_cut = false;  // the connection ends after half of the body
};

class ScriptedServer {
 public:
  // Called from several threads, one at a time.
  using Script = std::function<ScriptedReply(const ScriptedRequest&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    LABELPROBE_CHECK(listener_ >= 0 && ::bind(listener_, address, size) == 0);
    LABELPROBE_CHECK(::listen(listener_, 64) == 0);
    LABELPROBE_CHECK(::getsockname(listener_, address, &size) == 0);
    port_ = ntohs(name.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }

  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    for (std::thread& thread : serving_) thread.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

  std::vector<ScriptedRequest> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    for (int client = ::accept(listener_, nullptr, nullptr); client >= 0;
         client = ::accept(listener_, nullptr, nullptr)) {
      serving_.emplace_back([this, client] {
        serve(client);
        ::close(client);
      });
    }
  }

  void serve(int client) {
    std::string bytes;
    std::size_t begin = std::string::npos;
    while (begin == std::string::npos && receive(client, bytes)) begin = bytes.find("\r\n\r\n");
    if (begin == std::string::npos) return;
    ScriptedRequest request;
    request.headers = bytes.substr(0, begin);
    const std::size_t path = request.headers.find(' ') + 1;
    request.path = request.headers.substr(path, request.headers.find(' ', path) - path);
    const std::size_t length = request.headers.find("Content-Length: ");
    const std::size_t n_body =
        length == std::string::npos ? 0 : std::stoul(request.headers.substr(length + 16));
    while (bytes.size() < begin + 4 + n_body && receive(client, bytes)) continue;
    request.body = bytes.substr(begin + 4);
    send_reply(client, reply_to(request));
  }

  ScriptedReply reply_to(const ScriptedRequest& request) {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
    return script_(request);
  }

  static bool receive(int client, std::string& bytes) {
    char part[4096];
    const ssize_t n = ::recv(client, part, sizeof part, 0);
    if (n > 0) bytes.append(part, static_cast<std::size_t>(n));
    return n > 0;
  }

  static void send_reply(int client, const ScriptedReply& reply) {
    std::this_thread::sleep_for(reply.delay);
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                       " Scripted\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       "Content-Length: " +
                       std::to_string(reply.body.size()) + "\r\n";
    for (const std::string& header : reply.headers) text += header + "\r\n";
    text += "\r\n" + (reply.is_cut ? reply.body.substr(0, reply.body.size() / 2) : reply.body);
    std::size_t n_sent = 0;
    while (n_sent < text.size()) {
      const ssize_t n = ::send(client, text.data() + n_sent, text.size() - n_sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      n_sent += static_cast<std::size_t>(n);
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ScriptedRequest> requests_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace labelprobe::support
