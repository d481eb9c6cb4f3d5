// HTTP by libcurl: one request, one reply. Knows nothing about what they say.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace labelprobe::server {

// No reply: the connection was refused, cut or too slow, or the reply is too large.
class ConnectionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct HttpReply {
  long status = 0;
  std::string body;
  std::optional<double> retry_after_seconds;  // as the server asks for; never negative
};

// A connection that is kept between requests, of one thread. Redirections are not followed: the key
// is for the server that was named.
class Connection {
 public:
  //   key      sent as "Authorization: Bearer .."; empty = none
  //   is_over  once it is true, a request under way is given up
  Connection(const std::string& key, double timeout_seconds, const std::atomic<bool>& is_over);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Throw ConnectionError with the address and the reason.
  HttpReply get(const std::string& address);
  HttpReply post(const std::string& address, const std::string& json);

 private:
  struct State;
  HttpReply perform(const std::string& address);
  std::unique_ptr<State> state_;
};

}  // namespace labelprobe::server
