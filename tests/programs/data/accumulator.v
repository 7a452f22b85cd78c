module top(input clk, input [3:0] a, output reg [7:0] q);
  always @(posedge clk) q <= q * 3 + a;
endmodule
