# The second part of the exercise: the functions come from the helper file, the model is written here.
import time
import numpy as np
import matplotlib.pyplot as plt
from net_helpers_v3 import *

np.random.seed(1)

train_x, train_y = make_data(60, seed=4)
test_x, test_y = make_data(30, seed=5)
m_train = train_x.shape[1]
print ("Number of training examples: " + str(m_train))

layers_dims = [8, 7, 5, 1] #  3-layer model


def L_layer_model(X, Y, layers_dims, learning_rate = 0.0075, num_iterations = 3000, print_cost=False):#lr was 0.009
    """
    Implements a L-layer neural network: [LINEAR->RELU]*(L-1)->LINEAR->SIGMOID.
    """
    np.random.seed(1)
    costs = []                         # keep track of cost

    # Parameters initialization.
    parameters = initialize_parameters_deep(layers_dims)

    # Loop (gradient descent)
    for i in range(0, num_iterations):

        # Forward propagation: [LINEAR -> RELU]*(L-1) -> LINEAR -> SIGMOID.
        AL, caches = L_model_forward(X, parameters)

        # Compute cost.
        cost = compute_cost(AL, Y)

        # Backward propagation.
        grads = L_model_backward(AL, Y, caches)

        # Update parameters.
        parameters = update_parameters(parameters, grads, learning_rate)

        # Print the cost every 100 training example
        if print_cost and i % 100 == 0:
            print ("Cost after iteration %i: %f" %(i, cost))
        if i % 100 == 0:
            costs.append(cost)

    # plot the cost
    plt.plot(np.squeeze(costs))
    plt.ylabel('cost')
    plt.xlabel('iterations (per hundreds)')
    plt.title("Learning rate =" + str(learning_rate))
    plt.show()

    return parameters


start = time.time()
parameters = L_layer_model(train_x, train_y, layers_dims, learning_rate = 0.2, num_iterations = 300, print_cost = True)
elapsed = time.time() - start
pred_train = predict(train_x, train_y, parameters)
pred_test = predict(test_x, test_y, parameters)
wrong = [i for i in range(test_y.shape[1]) if pred_test[0, i] != test_y[0, i]]
print("wrong on", wrong)
